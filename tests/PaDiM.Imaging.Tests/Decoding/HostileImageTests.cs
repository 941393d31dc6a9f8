using System.Diagnostics;
using System.Text;
using NetVips;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Imaging.Tests.Decoding;

/// <summary>Runs alone: it measures the memory of the process.</summary>
[Collection(nameof(MeasuresTheProcess))]
public sealed class HostileImageTests
{
    /// <summary>Far above what a header costs, far below what any of the images would.</summary>
    private const long LittleMemory = 32 << 20;

    /// <summary>A guard against work without end; how long it really takes is printed.</summary>
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    [Fact]
    public void No_bytes_are_refused_as_empty() => TestDecoder.Refused([], ImageFault.Empty);

    [Theory]
    [InlineData("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"/>")]
    [InlineData("<?xml version=\"1.0\"?><svg/>")]
    [InlineData("%PDF-1.7\n1 0 obj <<>> endobj")]
    [InlineData("GIF89a\u0001\0\u0001\0")]
    [InlineData("PK\u0003\u0004")]
    [InlineData("P7\nWIDTH 1\n")]
    [InlineData("P6x1 1 255 abc")]
    [InlineData("x")]
    [InlineData("RIFF0000WAVE")]
    public void Other_formats_are_not_even_tried(string text) =>
        TestDecoder.Refused(Encoding.Latin1.GetBytes(text), ImageFault.Unsupported);

    [Theory]
    [InlineData(ImageFormat.Png)]
    [InlineData(ImageFormat.Jpeg)]
    [InlineData(ImageFormat.Bmp)]
    [InlineData(ImageFormat.Tiff)]
    [InlineData(ImageFormat.WebP)]
    [InlineData(ImageFormat.Pnm)]
    public void Junk_behind_a_right_beginning_is_unreadable(ImageFormat format)
    {
        var start = Samples.Encode(Samples.Rgb(16, 16), format)[..12];
        for (var seed = 0; seed < 50; seed++)
            TestDecoder.Refused([.. start, .. Samples.Noise(30, 10, seed).Pixels], ImageFault.Unreadable);
    }

    [Theory]
    [InlineData(ImageFormat.Png)]
    [InlineData(ImageFormat.Jpeg)]
    [InlineData(ImageFormat.Bmp)]
    [InlineData(ImageFormat.Tiff)]
    [InlineData(ImageFormat.WebP)]
    [InlineData(ImageFormat.Pnm)]
    public void Damage_anywhere_never_throws(ImageFormat format)
    {
        var bytes = Samples.Encode(Samples.Noise(24, 24), format);
        var random = new Random(7);
        // The damage may make a size large; a decoder that would allocate for it is not what is tried here.
        var decoder = new ImageDecoder(1 << 20);
        for (var round = 0; round < 300; round++)
        {
            var damaged = bytes.ToArray();
            for (var k = 0; k < 3; k++)
                damaged[random.Next(round % 2 == 0 ? 100 : damaged.Length)] = (byte)random.Next(256);
            decoder.Decode(damaged);
        }
    }

    [Fact]
    public void A_png_of_100_megapixels_is_refused_from_its_header() =>
        RefusedCheaply(PngFile.Grey(10_000, 10_000, 8, 10_000), ImageFault.TooLarge);

    [Fact]
    public void A_one_bit_png_of_400_megapixels_is_refused_from_its_header() =>
        RefusedCheaply(PngFile.Grey(20_000, 20_000, 1, 20_000), ImageFault.TooLarge);

    [Theory]
    [InlineData(65_535u, 65_535u)]
    [InlineData(1u, 0x7FFF_FFFFu)]
    [InlineData(0x7FFF_FFFFu, 1u)]
    [InlineData(0x7FFF_FFFFu, 0x7FFF_FFFFu)]
    [InlineData(0xFFFF_FFFFu, 0xFFFF_FFFFu)]
    [InlineData(0u, 5u)]
    public void A_png_of_absurd_size_is_refused_from_its_header(uint width, uint height) =>
        RefusedCheaply(PngFile.Grey(width, height, 1, 1), ImageFault.TooLarge, ImageFault.Unreadable);

    [Fact]
    public void The_limit_on_pixels_is_exact()
    {
        var bytes = Samples.Encode(Samples.Rgb(20, 10), ImageFormat.Png);
        Assert.IsType<DecodeResult.Decoded>(new ImageDecoder(200).Decode(bytes));
        Assert.Contains(
            "20 x 10 = 200 pixels; the limit is 199",
            Assert.IsType<DecodeResult.Refused>(new ImageDecoder(199).Decode(bytes)).Detail,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(ImageFormat.Jpeg)]
    [InlineData(ImageFormat.Tiff)]
    [InlineData(ImageFormat.WebP)]
    [InlineData(ImageFormat.Bmp)]
    [InlineData(ImageFormat.Pnm)]
    public void The_limit_on_pixels_holds_for_every_format(ImageFormat format) =>
        Assert.Equal(
            ImageFault.TooLarge,
            Assert
                .IsType<DecodeResult.Refused>(new ImageDecoder(100).Decode(Samples.Encode(Samples.Rgb(20, 10), format)))
                .Fault
        );

    [Theory]
    [InlineData("iCCP", "name\0\0")]
    [InlineData("zTXt", "key\0\0")]
    [InlineData("iTXt", "key\0\u0001\0\0\0")]
    public void A_chunk_that_unpacks_to_a_thousand_times_its_size_takes_little(string type, string start)
    {
        var bomb = PngFile.Chunk(type, [.. Encoding.Latin1.GetBytes(start), .. PngFile.Zeros(256 << 20)]);
        var bytes = PngFile.Grey(8, 8, 8, 8, bomb);
        Assert.True(bytes.Length < 1 << 19);
        Cheaply(() => new ImageDecoder().Decode(bytes));
    }

    [Fact]
    public void A_png_with_more_behind_its_last_row_than_it_has_pixels_is_not_unpacked()
    {
        var bytes = PngFile.Grey(8, 8, 8, 1L << 26);
        Assert.True(bytes.Length > 1 << 19);
        RefusedCheaply(bytes, ImageFault.Unreadable);
    }

    [Fact]
    public void A_png_of_ten_thousand_frames_is_refused_from_its_header() =>
        RefusedCheaply(
            PngFile.Grey(
                8,
                8,
                8,
                8,
                [
                    PngFile.Chunk("acTL", [0, 0, 39, 16, 0, 0, 0, 0]),
                    .. Enumerable.Repeat(PngFile.Chunk("fcTL", new byte[26]), 10_000),
                ]
            ),
            ImageFault.Animated
        );

    [Fact]
    public void An_animated_png_is_refused()
    {
        var control = PngFile.Chunk("acTL", [0, 0, 0, 2, 0, 0, 0, 0]);
        TestDecoder.Refused(PngFile.Grey(8, 8, 8, 8, control), ImageFault.Animated);
        TestDecoder.Image(PngFile.Grey(8, 8, 8, 8));
    }

    [Fact]
    public void Animated_webp_and_tiff_of_several_pages_are_refused()
    {
        using var frames = Samples.Rgb(16, 32).Vips();
        using var pages = frames.Mutate(mutable => mutable.Set(GValue.GIntType, "page-height", 16));
        TestDecoder.Refused(pages.WebpsaveBuffer(), ImageFault.Animated);
        TestDecoder.Refused(pages.TiffsaveBuffer(), ImageFault.Animated);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(1_000_000)]
    public void A_tiff_of_many_directories_is_refused(int count)
    {
        var bytes = TiffFile.Grey(count);
        Cheaply(() => TestDecoder.Refused(bytes, ImageFault.Animated));
    }

    [Fact]
    public void A_tiff_whose_directory_follows_itself_is_refused() =>
        Within(Hang, () => TestDecoder.Refused(TiffFile.Grey(1, followsItself: true), ImageFault.Animated));

    [Theory]
    [InlineData(ImageFormat.Tiff, "II*\0\u0008\0\0\0")]
    [InlineData(ImageFormat.Tiff, "II*\0\u00ff\u00ff\u00ff\u00ff")]
    [InlineData(ImageFormat.Tiff, "II+\0\u0008\0\0\0\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff")]
    [InlineData(ImageFormat.Tiff, "MM\0*\u0080\0\0\0")]
    [InlineData(
        ImageFormat.Tiff,
        "II+\0\u0008\0\0\0\u0010\0\0\0\0\0\0\0\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f"
    )]
    public void A_directory_that_lies_elsewhere_is_unreadable(ImageFormat format, string text)
    {
        Assert.Equal(format, ImageFormats.Recognise(Encoding.Latin1.GetBytes(text)));
        TestDecoder.Refused(Encoding.Latin1.GetBytes(text), ImageFault.Unreadable);
    }

    [Fact]
    public void A_tiff_whose_one_tile_is_huge_is_refused_from_its_header() =>
        RefusedCheaply(
            TiffFile.Page(
                (256, 1),
                (257, 1),
                (258, 8),
                (259, 1),
                (262, 1),
                (322, 65_520),
                (323, 65_520),
                (324, 8),
                (325, 1)
            ),
            ImageFault.Unreadable
        );

    [Theory]
    [InlineData(65_500)]
    [InlineData(int.MaxValue)]
    public void A_tiff_of_absurd_size_is_refused_from_its_header(int side) =>
        RefusedCheaply(
            TiffFile.Page((256, side), (257, side), (258, 8), (259, 1), (262, 1), (273, 8), (278, side), (279, 1)),
            ImageFault.TooLarge,
            ImageFault.Unreadable
        );

    [Fact]
    public void A_jpeg_and_a_webp_of_absurd_size_are_refused_from_their_headers()
    {
        var jpeg = Samples.Encode(Samples.Rgb(16, 16), ImageFormat.Jpeg);
        jpeg.AsSpan(jpeg.AsSpan().IndexOf([(byte)0xFF, (byte)0xC0]) + 5, 4).Fill(0xFF);
        RefusedCheaply(jpeg, ImageFault.TooLarge, ImageFault.Unreadable);
        var webp = Samples.Encode(Samples.Rgb(16, 16), ImageFormat.WebP);
        webp.AsSpan(webp.AsSpan().IndexOf("VP8L"u8) + 9, 3).Fill(0xFF);
        RefusedCheaply(webp, ImageFault.TooLarge, ImageFault.Unreadable);
    }

    [Fact]
    public void A_tiff_of_one_directory_is_read() =>
        Assert.Equal([7, 7, 7], TestDecoder.Image(TiffFile.Grey(1)).Pixels);

    [Fact]
    public void A_jpeg_that_is_a_web_page_too_is_a_jpeg()
    {
        var bytes = Samples.Encode(Samples.Rgb(16, 16), ImageFormat.Jpeg);
        byte[] comment = [0xFF, 0xFE, 0, 2 + 25, .. "<script>alert(1)</script>"u8];
        Assert.Equal(
            TestDecoder.Image(bytes).Pixels,
            TestDecoder.Image([.. bytes[..2], .. comment, .. bytes[2..]]).Pixels
        );
    }

    [Fact]
    public void A_jpeg_of_thousands_of_scans_is_refused_soon()
    {
        using var black = Image.Black(2000, 2000);
        var bytes = black.JpegsaveBuffer(interlace: true);
        var scan = bytes.AsSpan().LastIndexOf([(byte)0xFF, (byte)0xDA]);
        byte[] bomb =
        [
            .. bytes[..^2],
            .. Enumerable.Repeat(bytes[scan..^2], 5000).SelectMany(copy => copy),
            .. bytes[^2..],
        ];
        Within(Hang, () => TestDecoder.Refused(bomb, ImageFault.Unreadable));
    }

    [Fact]
    public void A_jpeg_of_many_scans_that_are_all_right_is_given_up_when_its_time_is_up()
    {
        var bytes = Scans(800);
        Assert.Equal(
            ImageFault.TooComplex,
            Assert
                .IsType<DecodeResult.Refused>(new ImageDecoder(limit: TimeSpan.FromMilliseconds(30)).Decode(bytes))
                .Fault
        );
        Assert.IsType<DecodeResult.Decoded>(
            new ImageDecoder(limit: TimeSpan.FromMilliseconds(30)).WithoutTimeLimit().Decode(Scans(2))
        );
    }

    [Theory]
    [InlineData(ImageFormat.Png)]
    [InlineData(ImageFormat.Jpeg)]
    [InlineData(ImageFormat.Tiff)]
    public void Whatever_takes_too_long_is_given_up_and_says_so(ImageFormat format)
    {
        var bytes = Samples.Encode(Samples.Noise(2500, 2500), format);
        var refused = Assert.IsType<DecodeResult.Refused>(
            new ImageDecoder(limit: TimeSpan.FromMilliseconds(1)).Decode(bytes)
        );
        Assert.Equal(ImageFault.TooComplex, refused.Fault);
        Assert.Contains("too long", refused.Detail, StringComparison.Ordinal);
    }

    /// <summary>
    /// A black progressive image whose coefficients are refined bit by bit: every scan is right, and each is work for
    /// the whole image.
    /// </summary>
    private static byte[] Scans(int count)
    {
        using var black = Image.Black(2000, 2000);
        var bytes = black.JpegsaveBuffer(interlace: true);
        var scan = bytes.AsSpan().LastIndexOf([(byte)0xFF, (byte)0xDA]);
        var table = bytes.AsSpan(0, scan).LastIndexOf([(byte)0xFF, (byte)0xC4]);
        var firstScan = bytes.AsSpan().IndexOf([(byte)0xFF, (byte)0xDA]);
        var afterFirst = firstScan + 2;
        while (bytes[afterFirst] != 0xFF || bytes[afterFirst + 1] == 0)
            afterFirst++;
        List<byte> made = [.. bytes[..afterFirst], .. bytes[table..scan]];
        const int lowestBit = 13;
        foreach (
            var (coefficient, bit) in (
                from coefficient in Enumerable.Range(1, 63)
                from bit in Enumerable.Range(0, lowestBit + 1).Reverse()
                select (coefficient, bit)
            ).Take(count)
        )
        {
            made.AddRange([
                .. bytes[scan..(scan + 7)],
                (byte)coefficient,
                (byte)coefficient,
                (byte)(bit == lowestBit ? bit : bit + 1 << 4 | bit),
            ]);
            made.AddRange(bytes[(scan + 10)..^2]);
        }
        return [.. made, 0xFF, 0xD9];
    }

    private static void RefusedCheaply(byte[] bytes, params ImageFault[] faults) =>
        Cheaply(() =>
            Assert.Contains(Assert.IsType<DecodeResult.Refused>(new ImageDecoder().Decode(bytes)).Fault, faults)
        );

    private static void Cheaply(Action decode)
    {
        // The first call pays for loading libvips.
        decode();
        MeasuresTheProcess.ResetPeak();
        var peak = MeasuresTheProcess.Peak();
        var managed = GC.GetAllocatedBytesForCurrentThread();
        Within(Hang, decode);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - managed, 0, LittleMemory);
        var grown = MeasuresTheProcess.Peak() - peak;
        TestContext.Current.TestOutputHelper?.WriteLine($"memory grew by {grown >> 10} KiB");
        Assert.True(grown <= LittleMemory, $"memory grew by {grown} bytes");
    }

    private static void Within(TimeSpan limit, Action action)
    {
        var clock = Stopwatch.StartNew();
        action();
        TestContext.Current.TestOutputHelper?.WriteLine($"{clock.Elapsed.TotalMilliseconds:f1} ms");
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, limit);
    }
}
