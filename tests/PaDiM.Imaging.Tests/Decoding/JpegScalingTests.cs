using NetVips;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Tests.Support;

namespace PaDiM.Imaging.Tests.Decoding;

public sealed class JpegScalingTests
{
    [Theory]
    [InlineData(512, 512, 256, 1)]
    [InlineData(1023, 4000, 256, 1)]
    [InlineData(1024, 1024, 256, 2)]
    [InlineData(1920, 1080, 256, 2)]
    [InlineData(2592, 1944, 256, 2)]
    [InlineData(4000, 3000, 256, 4)]
    [InlineData(4096, 4096, 256, 8)]
    [InlineData(8192, 8192, 256, 8)]
    [InlineData(4000, 3000, 512, 2)]
    [InlineData(65_499, 4096, 256, 4)]
    public void The_scale_leaves_both_sides_at_least_twice_the_image_size(
        int width,
        int height,
        int imageSize,
        int reduction
    )
    {
        var options = DecodeOptions.For(new FitSettings { ImageSize = imageSize });
        Assert.Equal(reduction, Frame(width, height, 0x11, 0x11, 0x11).GetReduction(options.MinimumSize));
        Assert.Equal(1, Frame(width, height, 0x11, 0x11, 0x11).GetReduction(null));
    }

    [Theory]
    [InlineData(AspectMode.Stretch, 4096, 1024, false, 4)]
    [InlineData(AspectMode.Stretch, 4096, 1024, true, 1)]
    [InlineData(AspectMode.Stretch, 1024, 4096, true, 4)]
    [InlineData(AspectMode.Stretch, 4096, 2048, false, 4)]
    [InlineData(AspectMode.Stretch, 4096, 511, false, 1)]
    [InlineData(AspectMode.Letterbox, 4096, 511, false, 4)]
    [InlineData(AspectMode.Letterbox, 511, 4096, true, 4)]
    [InlineData(AspectMode.Letterbox, 1000, 2048, false, 8)]
    [InlineData(AspectMode.Crop, 4096, 511, false, 1)]
    [InlineData(AspectMode.Crop, 4096, 1024, false, 4)]
    public void The_scale_leaves_twice_what_every_aspect_resizes(
        AspectMode aspect,
        int width,
        int height,
        bool isSideways,
        int reduction
    )
    {
        var settings = new FitSettings
        {
            ImageWidth = 512,
            ImageHeight = 128,
            Aspect = aspect,
        };
        var minimum = DecodeOptions.For(settings).MinimumSize;
        Assert.Equal(reduction, Frame(width, height, 0x11, 0x11, 0x11).GetReduction(minimum, isSideways));
        var upright = isSideways ? new Grid(width, height) : new Grid(height, width);
        var frame = settings.CreateFrame(upright);
        if (reduction > 1)
            Assert.All(
                [frame.Rows, frame.Columns],
                // A target is rounded to whole pixels.
                axis => Assert.True(axis.SourceLength / reduction >= 2 * (axis.TargetLength - 0.5))
            );
    }

    [Theory]
    [InlineData(0x22, 0x11, 0x11, 4)]
    [InlineData(0x21, 0x11, 0x11, 4)]
    [InlineData(0x41, 0x11, 0x11, 4)]
    [InlineData(0x31, 0x21, 0x11, 1)]
    [InlineData(0x22, 0x01, 0x11, 1)]
    public void Components_of_odd_ratios_are_decoded_at_full_size(byte first, byte second, byte third, int reduction) =>
        Assert.Equal(reduction, Frame(4000, 3000, first, second, third).GetReduction(MinimumSize.OfBoth(512)));

    [Fact]
    public void A_model_from_before_there_were_scales_decodes_at_full_size() =>
        Assert.Equal(
            DecodeOptions.Default,
            DecodeOptions.For(new FitSettings { JpegDecoding = JpegDecoding.FullSize })
        );

    [Theory]
    [InlineData("4:2:0")]
    [InlineData("4:4:4")]
    [InlineData("grey")]
    public void A_file_that_is_read_in_place_has_the_pixels_of_one_that_is_read_in_pieces(string kind)
    {
        foreach (var minimumSize in new[] { null, MinimumSize.OfBoth(200) })
        {
            var jpeg = JpegSegments.Read(Encode(Samples.Rgb(411, 407), kind), minimumSize);
            Assert.False(jpeg.HasSeveralScans);
            var clock = new DecodeClock(null, TimeProvider.System);
            using var inPlace = JpegPixels.Open(jpeg, clock);
            using var inPieces = new TimedSource(jpeg.Pieces, clock);
            Assert.Equal(
                JpegPixels.Decode(inPieces, jpeg.Reduction, jpeg.Orientation).Pixels,
                JpegPixels.Decode(inPlace, jpeg.Reduction, jpeg.Orientation).Pixels
            );
        }
    }

    [Theory]
    [InlineData("4:2:0")]
    [InlineData("4:4:4")]
    [InlineData("grey")]
    [InlineData("progressive")]
    [InlineData("three scans")]
    public void A_scaled_image_is_the_whole_image_averaged(string kind)
    {
        foreach (var (width, height) in new[] { (96, 72), (89, 67), (95, 65), (81, 66) })
        foreach (var reduction in new[] { 2, 4, 8 })
        {
            var bytes = Encode(Samples.Rgb(width, height), kind);
            var whole = TestDecoder.Image(bytes);
            var scaled = Decode(bytes, Math.Min(width, height) / reduction);
            Assert.Equal(new Grid(height, width), scaled.Size);
            var expected = Average(whole, reduction);
            Assert.Equal((expected.Width, expected.Height), (scaled.Image.Width, scaled.Image.Height));
            Assert.False(scaled.IsFullSize);
            Assert.InRange(MeanDifference(expected, scaled.Image), 0, 3);
        }
    }

    [Fact]
    public void An_image_that_is_turned_has_the_size_of_the_upright_one()
    {
        byte[] exif = JpegFile.Segment(
            0xE1,
            [.. "Exif\0\0MM\0*\0\0\0\u0008\0\u0001"u8, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]
        );
        var bytes = JpegFile.Insert(Encode(Samples.Rgb(90, 70), "4:2:0"), 1, exif);
        var decoded = Decode(bytes, 32);
        Assert.Equal(new Grid(90, 70), decoded.Size);
        Assert.Equal((35, 45), (decoded.Image.Width, decoded.Image.Height));
        Assert.InRange(MeanDifference(Average(TestDecoder.Image(bytes), 2), decoded.Image), 0, 3);
    }

    [Theory]
    [InlineData("4:2:0")]
    [InlineData("grey")]
    [InlineData("progressive")]
    [InlineData("three scans")]
    public void A_file_cut_at_any_byte_is_refused_at_every_scale(string kind)
    {
        var whole = Encode(Samples.Rgb(70, 66), kind);
        var accepted =
            from least in new[] { 8, 16, 32 }
            from length in Enumerable.Range(2, whole.Length - 2)
            where
                new ImageDecoder().Decode(
                    whole[..length],
                    new DecodeOptions { MinimumSize = MinimumSize.OfBoth(least) }
                ) is DecodeResult.Decoded
            select (least, length);
        Assert.Empty(accepted);
    }

    [Theory]
    [InlineData("4:2:0", 10)]
    [InlineData("progressive", 6 * 16 + 4)]
    public void Memory_follows_the_scale_except_for_coefficients(string kind, int bytesPerScaledPixel)
    {
        var bytes = Encode(Samples.Rgb(96, 64), kind);
        var options = new DecodeOptions { MinimumSize = MinimumSize.OfBoth(16) };
        Assert.True(new ImageDecoder().TryProbe(bytes, out var header, out _, options));
        Assert.Equal(new ImageHeader(ImageFormat.Jpeg, 96, 64, 24 * 16 * bytesPerScaledPixel), header);
    }

    private static JpegFrame Frame(int width, int height, params byte[] samplings) =>
        JpegFrame.Read(
            0xC0,
            [
                8,
                (byte)(height >> 8),
                (byte)height,
                (byte)(width >> 8),
                (byte)width,
                (byte)samplings.Length,
                .. samplings.SelectMany((sampling, i) => new byte[] { (byte)i, sampling, 0 }),
            ]
        );

    private static DecodeResult.Decoded Decode(byte[] bytes, int minimumSide) =>
        Assert.IsType<DecodeResult.Decoded>(
            new ImageDecoder().Decode(bytes, new DecodeOptions { MinimumSize = MinimumSize.OfBoth(minimumSide) })
        );

    private static byte[] Encode(RgbImage image, string kind)
    {
        using var pixels = image.Vips();
        using var grey = pixels.Colourspace(Enums.Interpretation.Bw);
        return kind switch
        {
            "grey" => grey.JpegsaveBuffer(q: 95),
            "progressive" => pixels.JpegsaveBuffer(q: 95, interlace: true),
            "three scans" => JpegFile.Join(JpegFile.ThreeScans(image)),
            "4:4:4" => pixels.JpegsaveBuffer(q: 95, subsampleMode: Enums.ForeignSubsample.Off),
            _ => pixels.JpegsaveBuffer(q: 95, subsampleMode: Enums.ForeignSubsample.On),
        };
    }

    /// <summary>Averages squares of pixels; those at the right and lower edge may be cut.</summary>
    private static RgbImage Average(RgbImage image, int side)
    {
        var width = (image.Width + side - 1) / side;
        var height = (image.Height + side - 1) / side;
        var pixels = new byte[3 * width * height];
        for (var i = 0; i < pixels.Length; i++)
        {
            var (left, top) = (i / 3 % width * side, i / 3 / width * side);
            pixels[i] = (byte)
                Math.Round(
                    (
                        from y in Enumerable.Range(top, Math.Min(side, image.Height - top))
                        from x in Enumerable.Range(left, Math.Min(side, image.Width - left))
                        select (double)image.Pixels[3 * (y * image.Width + x) + i % 3]
                    ).Average()
                );
        }
        return new RgbImage(width, height, pixels);
    }

    private static double MeanDifference(RgbImage expected, RgbImage actual) =>
        expected.Pixels.Zip(actual.Pixels, (e, a) => Math.Abs(e - a)).Average();
}
