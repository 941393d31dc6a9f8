using NetVips;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Tests.Support;

namespace PaDiM.Imaging.Tests.Decoding;

/// <summary>
/// What no file in <c>Fixtures/Images</c> shows: libtiff writes the files, or they are made tag by tag.
/// </summary>
public sealed class TiffReaderTests
{
    [Theory]
    [InlineData("lzw", 1)]
    [InlineData("lzw", 2)]
    [InlineData("deflate", 2)]
    [InlineData("packbits", 1)]
    public void Large_strips_and_tiles_equal_what_libtiff_packed(string compression, int predictor)
    {
        // Noise fills the table of LZW; the smooth half makes long pieces.
        var noise = Samples.Noise(301, 203);
        var image = new RgbImage(
            noise.Width,
            noise.Height,
            [.. noise.Pixels.Select((v, i) => i < noise.Pixels.Length / 2 ? v : (byte)(i / 3000))]
        );
        using var vips = image.Vips();
        foreach (var tiled in new[] { false, true })
            Assert.Equal(
                image.Pixels,
                TestDecoder
                    .Image(
                        vips.TiffsaveBuffer(
                            compression: Enum.Parse<Enums.ForeignTiffCompression>(compression, ignoreCase: true),
                            predictor: (Enums.ForeignTiffPredictor)predictor,
                            tile: tiled
                        )
                    )
                    .Pixels
            );
    }

    [Fact]
    public void Faxes_have_runs_of_every_length()
    {
        const int width = 5300,
            height = 80;
        var samples = new byte[width * height];
        samples.AsSpan().Fill(byte.MaxValue);
        for (var y = 0; y < height; y++)
        {
            var row = samples.AsSpan(y * width, width);
            row.Slice(y, y % 64).Clear();
            row.Slice(200 + y, Math.Min(64 * (y % 42), 4000)).Clear();
            row[width - 1 - y] = 0;
        }
        using var image = Samples.Vips(samples, width, height, 1);
        Assert.Equal(
            samples.SelectMany(v => new[] { v, v, v }),
            TestDecoder
                .Image(image.TiffsaveBuffer(compression: Enums.ForeignTiffCompression.Ccittfax4, bitdepth: 1))
                .Pixels
        );
    }

    [Fact]
    public void The_layers_of_a_pyramid_are_passed_over()
    {
        var image = Samples.Rgb(300, 200);
        using var vips = image.Vips();
        Assert.Equal(image.Pixels, TestDecoder.Image(vips.TiffsaveBuffer(tile: true, pyramid: true)).Pixels);
    }

    [Fact]
    public void A_hundred_thumbnails_are_too_many()
    {
        (int, int, int[])[] thumbnail = [.. ReferenceTiff.Grey8, (254, 4, [1])];
        var few = ReferenceTiff.Create([
            .. Enumerable.Repeat((thumbnail, new byte[1]), 60),
            (ReferenceTiff.Grey8, [7]),
        ]);
        Assert.Equal([7, 7, 7], TestDecoder.Image(few).Pixels);
        var many = ReferenceTiff.Create([
            .. Enumerable.Repeat((thumbnail, new byte[1]), 200),
            (ReferenceTiff.Grey8, [7]),
        ]);
        TestDecoder.Refused(many, ImageFault.Animated);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(2, 2)]
    [InlineData(4, 2)]
    public void Luma_and_chroma_are_converted_at_every_subsampling(int across, int down)
    {
        // White, red, black: one colour for each block of four columns.
        (byte Y, byte Cb, byte Cr)[] colours = [(255, 128, 128), (76, 85, 255), (0, 128, 128)];
        var strip = new List<byte>();
        for (var y = 0; y < 4; y += down)
        for (var x = 0; x < 12; x += across)
        {
            var (luma, cb, cr) = colours[x / 4];
            strip.AddRange(Enumerable.Repeat(luma, across * down));
            strip.AddRange([cb, cr]);
        }
        var tags = ReferenceTiff.Describe(12, 4, 8, 3, 6);
        var image = TestDecoder.Image(ReferenceTiff.Create(([.. tags, (530, 3, [across, down])], [.. strip])));
        byte[] expected = [255, 255, 255, 254, 0, 0, 0, 0, 0];
        for (var x = 0; x < 12; x++)
            Assert.Equal(expected[(x / 4 * 3)..(x / 4 * 3 + 3)], image.Pixels[(3 * x)..(3 * x + 3)]);
        TestDecoder.Refused(
            ReferenceTiff.Create(([.. tags, (530, 3, [across, down])], [.. strip.SkipLast(1)])),
            ImageFault.Unreadable
        );
    }

    [Fact]
    public void Floats_with_the_predictor_of_floats_are_read()
    {
        // Two rows of 0, 0.5, 1 and 0.25: bytes apart, the highest first, as differences.
        float[] samples = [0, 0.5f, 1, 0.25f];
        byte[] apart =
        [
            .. Enumerable.Range(0, 4).SelectMany(b => samples.Select(v => BitConverter.GetBytes(v)[3 - b])),
        ];
        byte[] row = [.. apart.Select((v, i) => (byte)(v - (i > 0 ? apart[i - 1] : 0)))];
        (int, int, int[])[] tags =
        [
            .. ReferenceTiff.Describe(4, 2, 32, 1, 1),
            (317, 3, [3]),
            (339, 3, [3]),
            (340, 9, [0]),
            (341, 9, [1]),
        ];
        Assert.Equal(
            [0, 128, 255, 64, 0, 128, 255, 64],
            TestDecoder.Image(ReferenceTiff.Create((tags, [.. row, .. row]))).Pixels.Where((_, i) => i % 3 == 0)
        );
    }

    [Fact]
    public void A_sample_that_is_not_a_number_is_refused() =>
        TestDecoder.Refused(
            ReferenceTiff.Create(
                (
                    [.. ReferenceTiff.Describe(1, 1, 32, 1, 1), (339, 3, [3]), (340, 9, [0]), (341, 9, [1])],
                    BitConverter.GetBytes(float.NaN)
                )
            ),
            ImageFault.Unreadable
        );

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(10)]
    [InlineData(12)]
    [InlineData(14)]
    public void Samples_of_odd_widths_are_scaled_to_all_of_the_range(int bits)
    {
        var most = (1 << bits) - 1;
        int[] values = [0, 1, most / 3, most - 1, most];
        var text = string.Concat(values.Select(v => Convert.ToString(v, 2).PadLeft(bits, '0')));
        var strip = Enumerable
            .Range(0, (text.Length + 7) / 8)
            .Select(i => Convert.ToByte(text[(8 * i)..Math.Min(8 * i + 8, text.Length)].PadRight(8, '0'), 2));
        var image = TestDecoder.Image(ReferenceTiff.Create((ReferenceTiff.Describe(5, 1, bits, 1, 1), [.. strip])));
        Assert.Equal(values.Select(v => (byte)Math.Round(v * 255.0 / most)), image.Pixels.Where((_, i) => i % 3 == 0));
    }

    [Theory]
    [InlineData(34712, "compression 34712")]
    [InlineData(50000, "compression 50000")]
    [InlineData(6, "Old-style")]
    public void What_is_not_supported_says_what_to_do(int compression, string words)
    {
        (int, int, int[])[] tags =
        [
            .. ReferenceTiff.Describe(1, 1, 8, 1, 1).Where(tag => tag.Tag != 259),
            (259, 3, [compression]),
        ];
        var detail = TestDecoder.Refused(ReferenceTiff.Create((tags, [7])), ImageFault.Unsupported);
        Assert.Contains(words, detail, StringComparison.Ordinal);
        Assert.Contains("save the image", detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_strip_of_a_huge_tile_is_not_unpacked()
    {
        (int, int, int[])[] tags =
        [
            .. ReferenceTiff.Describe(1, 1, 8, 1, 1).Where(tag => tag.Tag != 259),
            (259, 3, [8]),
            (322, 4, [65_520]),
            (323, 4, [65_520]),
        ];
        TestDecoder.Refused(ReferenceTiff.Create((tags, [0x78, 0x9C, 3, 0, 0, 0, 0, 1])), ImageFault.Unreadable);
    }

    [Theory]
    [InlineData(1 << 26, 1, 32, 8, 1)]
    [InlineData(1 << 26, 1, 32, 8, 8)]
    [InlineData(1 << 26, 1, 32, 1, 8)]
    [InlineData(8192, 8192, 31, 8, 8)]
    [InlineData(8192, 8192, 32, 16, 32773)]
    public void Strips_of_gigabytes_are_not_unpacked(int width, int height, int samples, int bits, int compression)
    {
        (int, int, int[])[] tags =
        [
            .. ReferenceTiff.Describe(width, height, bits, samples, 1).Where(tag => tag.Tag != 259),
            (259, 3, [compression]),
        ];
        TestDecoder.Refused(ReferenceTiff.Create((tags, new byte[100])), ImageFault.Unsupported);
    }

    [Theory]
    [InlineData(258)]
    [InlineData(259)]
    [InlineData(262)]
    [InlineData(50_000)]
    public void A_damaged_count_is_no_missing_tag(int tag)
    {
        var bytes = ReferenceTiff.Create(([.. ReferenceTiff.Grey8, (50_000, 4, [7])], [100]));
        var entry = bytes
            .AsSpan()
            .LastIndexOf(new byte[] { (byte)tag, (byte)(tag >> 8), (byte)(tag == 50_000 ? 4 : 3), 0 });
        bytes.AsSpan(entry + 4, 4).Fill(byte.MaxValue);
        TestDecoder.Refused(bytes, ImageFault.Unreadable);
    }

    [Fact]
    public void A_tag_with_more_values_than_a_palette_is_refused()
    {
        (int, int, int[])[] tags = [.. ReferenceTiff.Grey8, (338, 3, new int[200_000])];
        TestDecoder.Refused(ReferenceTiff.Create((tags, [100])), ImageFault.Unreadable);
    }

    [Fact]
    public void A_range_with_a_value_that_is_not_a_number_is_no_range()
    {
        var nan = BitConverter.SingleToInt32Bits(float.NaN);
        (int, int, int[])[] tags =
        [
            .. ReferenceTiff.Describe(1, 1, 32, 1, 1),
            (339, 3, [3]),
            (340, 11, [0, nan]),
            (341, 11, [BitConverter.SingleToInt32Bits(1)]),
        ];
        TestDecoder.Refused(ReferenceTiff.Create((tags, new byte[4])), ImageFault.Unsupported);
    }

    [Fact]
    public void WebP_inside_may_leave_opaque_alpha_away()
    {
        const int opaqueAlpha = 2;
        var webP = Samples.Encode(Samples.Rgb(16, 8), ImageFormat.WebP);
        (int, int, int[])[] tags =
        [
            .. ReferenceTiff.Describe(16, 8, 8, 4, 2).Where(tag => tag.Tag != 259),
            (259, 3, [50_001]),
            (338, 3, [opaqueAlpha]),
        ];
        Assert.Equal(TestDecoder.Image(webP).Pixels, TestDecoder.Image(ReferenceTiff.Create((tags, webP))).Pixels);
    }

    [Fact]
    public void Damage_anywhere_in_any_variant_never_throws()
    {
        var random = new Random(11);
        var decoder = new ImageDecoder(1 << 20);
        foreach (var path in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Fixtures", "Images"), "*.tif"))
        {
            var bytes = File.ReadAllBytes(path);
            for (var round = 0; round < 60; round++)
            {
                var damaged = bytes.ToArray();
                for (var k = 0; k < 3; k++)
                    damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
                decoder.Decode(damaged);
            }
        }
    }
}
