using System.Buffers.Binary;
using System.Text;
using NetVips;
using PaDiM.Core.Models;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Imaging.Tests.Decoding;

/// <summary>Cameras of 10 and 12 bits fill the lower bits of 16.</summary>
public sealed class SampleDepthTests
{
    private const int Width = 23,
        Height = 19;

    /// <summary>Every grey level is there.</summary>
    private static readonly byte[] Levels =
    [
        .. Enumerable.Range(0, Width * Height).Select(i => (byte)Math.Min(byte.MaxValue, i)),
    ];

    [Theory]
    [InlineData("png")]
    [InlineData("colour png")]
    [InlineData("png with alpha")]
    [InlineData("tiff")]
    [InlineData("inverted tiff")]
    [InlineData("colour tiff")]
    [InlineData("pgm")]
    [InlineData("text pgm")]
    public void One_picture_of_any_depth_has_the_same_pixels(string kind)
    {
        for (var bits = 8; bits <= 16; bits++)
        {
            var decoded = Decode(Encode(kind, Scale(bits)), bits);
            Assert.Equal(Levels.SelectMany(v => new[] { v, v, v }), decoded.Image.Pixels);
            Assert.True(decoded.IsDeep);
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(10)]
    [InlineData(12)]
    [InlineData(15)]
    [InlineData(16)]
    public void Each_value_is_scaled_and_rounded(int bits)
    {
        var most = (1 << bits) - 1;
        ushort[] values = [.. Enumerable.Range(0, 65536).Select(value => (ushort)(value & most))];
        using var image = Samples.Vips(values, 256, 256, 1);
        Assert.Equal(
            values.Select(value => (byte)Math.Round(value * 255.0 / most)),
            Decode(image.PngsaveBuffer(), bits).Image.Pixels.Where((_, i) => i % 3 == 0)
        );
    }

    [Theory]
    [InlineData("png")]
    [InlineData("colour png")]
    [InlineData("tiff")]
    [InlineData("pgm")]
    [InlineData("text pgm")]
    public void A_value_above_the_declared_range_is_refused(string kind)
    {
        var samples = Scale(12);
        samples[^7] = 4096;
        var refused = Assert.IsType<DecodeResult.Refused>(
            new ImageDecoder().Decode(Encode(kind, samples), new DecodeOptions { SignificantBits = 12 })
        );
        Assert.Equal(ImageFault.SampleOutOfRange, refused.Fault);
        Assert.Contains("4096", refused.Detail, StringComparison.Ordinal);
        Assert.Contains("4095", refused.Detail, StringComparison.Ordinal);
        Decode(Encode(kind, samples), 13);
        Decode(Encode(kind, samples), null);
    }

    [Fact]
    public void Samples_of_a_depth_of_their_own_cannot_have_more_bits()
    {
        var packed = Pack(Scale(12), 12);
        foreach (var bits in new int?[] { null, 12, 14, 16 })
            Assert.Equal(Levels, Grey(Decode(Tiff(packed, 12), bits)));
        Assert.Equal(Levels, Grey(Decode(Tiff(Pack(Scale(10), 12), 12), 10)));
        foreach (var bits in new int?[] { null, 12, 16 })
            Assert.Equal(Levels, Grey(Decode(Pgm(Scale(10), 1023), bits)));
    }

    [Theory]
    [InlineData("png")]
    [InlineData("jpeg")]
    [InlineData("bmp")]
    [InlineData("pgm")]
    [InlineData("tiff")]
    [InlineData("float tiff")]
    public void Other_files_have_no_depth(string kind)
    {
        var image = new RgbImage(Width, Height, [.. Levels.SelectMany(v => new[] { v, v, v })]);
        var file = kind switch
        {
            "pgm" => Encoding.Latin1.GetBytes($"P5 {Width} {Height} 255\n").Concat(Levels).ToArray(),
            "float tiff" => ReferenceTiff.Create(
                (
                    [
                        .. ReferenceTiff.Describe(Width, Height, 32, 1, 1),
                        (339, 3, [3]),
                        (340, 11, [BitConverter.SingleToInt32Bits(0)]),
                        (341, 11, [BitConverter.SingleToInt32Bits(4095)]),
                    ],
                    [.. Levels.SelectMany(v => BitConverter.GetBytes(v * 4095f / 255))]
                )
            ),
            _ => Samples.Encode(image, Enum.Parse<ImageFormat>(kind, ignoreCase: true)),
        };
        var undeclared = Decode(file, null);
        Assert.False(undeclared.IsDeep);
        Assert.Equal(undeclared.Image.Pixels, Decode(file, 10).Image.Pixels);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(12)]
    public void A_PNG_states_its_bits(int bits)
    {
        var grey = WithChunk(Encode("png", Scale(bits)), (byte)bits);
        Assert.Equal(Levels, Grey(Decode(grey, null)));
        var colour = WithChunk(Encode("colour png", Scale(bits)), (byte)(bits - 1), (byte)bits, (byte)(bits - 2));
        Assert.Equal(Levels, Grey(Decode(colour, null)));
        // Who sends the image knows better.
        Assert.Equal(Decode(Encode("png", Scale(bits)), 14).Image.Pixels, Decode(grey, 14).Image.Pixels);
        Assert.Equal(
            Decode(Encode("png", Scale(bits)), null).Image.Pixels,
            Decode(grey, FitSettings.MaxSignificantBits).Image.Pixels
        );
    }

    [Fact]
    public void A_PNG_that_fills_the_higher_bits_as_the_standard_says_is_at_full_range()
    {
        ushort[] high = [.. Scale(12).Select(v => (ushort)(v << 4 | v >> 8))];
        Assert.Equal(Levels, Grey(Decode(WithChunk(Encode("png", high), 12), null)));
    }

    [Theory]
    [InlineData(new byte[] { 0 })]
    [InlineData(new byte[] { 7 })]
    [InlineData(new byte[] { 16 })]
    [InlineData(new byte[] { 200 })]
    [InlineData(new byte[] { })]
    public void Nonsense_about_bits_is_passed_over(byte[] stated)
    {
        var samples = Scale(12);
        Assert.Equal(
            Decode(Encode("png", samples), null).Image.Pixels,
            Decode(WithChunk(Encode("png", samples), stated), null).Image.Pixels
        );
    }

    [Theory]
    [InlineData(280, 281, 10, false)]
    [InlineData(280, 281, 12, true)]
    [InlineData(340, 341, 10, true)]
    [InlineData(340, 341, 12, false)]
    public void A_TIFF_states_its_range(int low, int high, int bits, bool statesLeast)
    {
        (int, int, int[])[] least = statesLeast ? [(low, 3, [0])] : [];
        (int, int, int[])[] range = [.. least, (high, 3, [(1 << bits) - 1])];
        Assert.Equal(Levels, Grey(Decode(Tiff(Little(Scale(bits)), 16, range), null)));
        Assert.Equal(
            Decode(Tiff(Little(Scale(bits)), 16), 14).Image.Pixels,
            Decode(Tiff(Little(Scale(bits)), 16, range), 14).Image.Pixels
        );
    }

    [Theory]
    [InlineData(0, 3987)]
    [InlineData(12, 4095)]
    [InlineData(0, 65535)]
    [InlineData(0, 255)]
    public void What_a_TIFF_says_of_its_picture_and_not_of_its_camera_is_passed_over(int low, int high)
    {
        var samples = Little(Scale(12));
        foreach (var tag in new[] { 280, 340 })
            Assert.Equal(
                Decode(Tiff(samples, 16), null).Image.Pixels,
                Decode(Tiff(samples, 16, (tag, 3, [low]), (tag + 1, 3, [high])), null).Image.Pixels
            );
    }

    [Theory]
    [InlineData("png")]
    [InlineData("colour png")]
    [InlineData("tiff")]
    [InlineData("pgm")]
    public void Of_a_mask_all_but_zero_is_white(string kind)
    {
        var samples = new ushort[Width * Height];
        samples[3] = 1;
        samples[5] = 255;
        samples[9] = ushort.MaxValue;
        var decoded = Assert.IsType<DecodeResult.Decoded>(
            new ImageDecoder().Decode(Encode(kind, samples), DecodeOptions.Mask)
        );
        Assert.Equal(samples.Select(v => (byte)(v == 0 ? 0 : 255)), Grey(decoded));
    }

    private static ushort[] Scale(int bits) =>
        [.. Levels.Select(level => (ushort)Math.Round(level * ((1 << bits) - 1) / 255.0))];

    private static byte[] Encode(string kind, ushort[] samples)
    {
        ushort[] colours = [.. samples.SelectMany(v => new[] { v, v, v })];
        switch (kind)
        {
            case "png":
                return Save(samples, 1, image => image.PngsaveBuffer());
            case "colour png":
                return Save(colours, 3, image => image.PngsaveBuffer());
            case "png with alpha":
                // A camera that sends alpha sends it at full range.
                return Save(
                    [.. samples.SelectMany(v => new[] { v, v, v, ushort.MaxValue })],
                    4,
                    image => image.PngsaveBuffer()
                );
            case "colour tiff":
                return Save(colours, 3, image => image.TiffsaveBuffer());
            case "tiff":
                return Tiff(Little(samples), 16);
            case "inverted tiff":
                var most = samples.Max();
                return Tiff(Little([.. samples.Select(v => (ushort)(most - v))]), 16, (262, 3, [0]));
            case "text pgm":
                return Encoding.ASCII.GetBytes($"P2 {Width} {Height} 65535\n{string.Join(' ', samples)}\n");
            default:
                return Pgm(samples, ushort.MaxValue);
        }
    }

    private static byte[] Save(ushort[] samples, int channels, Func<Image, byte[]> save)
    {
        using var image = Samples.Vips(samples, Width, Height, channels);
        return save(image);
    }

    private static byte[] Pgm(ushort[] samples, int most) =>
        [
            .. Encoding.ASCII.GetBytes($"P5 {Width} {Height} {most}\n"),
            .. samples.SelectMany(v => new[] { (byte)(v >> 8), (byte)v }),
        ];

    private static byte[] Tiff(byte[] strip, int bits, params (int Tag, int Type, int[] Values)[] tags) =>
        ReferenceTiff.Create(
            (
                [
                    .. ReferenceTiff
                        .Describe(Width, Height, bits, 1, 1)
                        .Where(tag => !Array.Exists(tags, other => other.Tag == tag.Tag)),
                    .. tags,
                ],
                strip
            )
        );

    private static byte[] Little(ushort[] samples)
    {
        var bytes = new byte[2 * samples.Length];
        for (var i = 0; i < samples.Length; i++)
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2 * i), samples[i]);
        return bytes;
    }

    /// <summary>Packs samples row by row, the highest bit first, each row filled up to a byte.</summary>
    private static byte[] Pack(ushort[] samples, int bits) =>
        [
            .. samples
                .Chunk(Width)
                .SelectMany(row =>
                    row.SelectMany(v => Enumerable.Range(0, bits).Select(b => v >> bits - 1 - b & 1))
                        .Chunk(8)
                        .Select(eight => (byte)eight.Select((bit, i) => bit << 7 - i).Sum())
                ),
        ];

    /// <summary>Puts <c>sBIT</c> behind the header.</summary>
    private static byte[] WithChunk(byte[] png, params byte[] bits) =>
        [.. png[..33], .. PngFile.Chunk("sBIT", bits), .. png[33..]];

    private static DecodeResult.Decoded Decode(byte[] file, int? bits) =>
        Assert.IsType<DecodeResult.Decoded>(
            new ImageDecoder().Decode(file, new DecodeOptions { SignificantBits = bits })
        );

    private static IEnumerable<byte> Grey(DecodeResult.Decoded decoded) =>
        decoded.Image.Pixels.Where((_, i) => i % 3 == 0);
}
