using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Decoding;
using PaDiM.TestSupport;

namespace PaDiM.Imaging.Tests.Decoding;

public sealed class TruncatedImageTests
{
    private static readonly RgbImage Image = Samples.Noise(120, 90);

    [Theory]
    [InlineData("png")]
    [InlineData("png interlaced")]
    [InlineData("png 16 bits")]
    [InlineData("jpeg")]
    [InlineData("jpeg progressive")]
    [InlineData("jpeg with restarts")]
    [InlineData("tiff")]
    [InlineData("tiff deflated")]
    [InlineData("tiff tiled")]
    [InlineData("tiff lzw")]
    [InlineData("webp lossless")]
    [InlineData("webp")]
    [InlineData("bmp")]
    [InlineData("tiff jpeg")]
    [InlineData("tiff jpeg tiled")]
    [InlineData("tiff webp")]
    [InlineData("tiff fax")]
    [InlineData("tiff packbits")]
    [InlineData("pgm")]
    [InlineData("pgm text")]
    public void A_file_cut_short_is_never_an_image(string kind)
    {
        var bytes = Encode(kind);
        TestDecoder.Image(bytes);
        var cuts = Enumerable
            .Range(1, 99)
            .Select(percent => bytes.Length * percent / 100)
            .Concat(Enumerable.Range(1, 24).Select(missing => bytes.Length - missing))
            .Where(length => length >= 16);
        Assert.Equal(
            "",
            string.Join(
                " ",
                cuts.Where(length =>
                        new ImageDecoder().Decode(bytes[..length])
                            is not DecodeResult.Refused { Fault: ImageFault.Unreadable }
                    )
                    .Select(length => bytes.Length - length)
            )
        );
    }

    [Theory]
    [InlineData("jpeg")]
    [InlineData("jpeg progressive")]
    [InlineData("jpeg with restarts")]
    [InlineData("png")]
    [InlineData("tiff deflated")]
    [InlineData("webp")]
    public void A_file_that_lost_a_block_is_not_filled_up_with_grey(string kind)
    {
        var bytes = Encode(kind);
        TestDecoder.Refused(
            [.. bytes[..(bytes.Length / 2)], .. bytes[(bytes.Length / 2 + 300)..]],
            ImageFault.Unreadable
        );
    }

    [Theory]
    [InlineData("none")]
    [InlineData("deflate")]
    [InlineData("lzw")]
    [InlineData("packbits")]
    [InlineData("jpeg")]
    [InlineData("webp")]
    public void A_tile_that_ends_too_early_is_not_filled_up_with_black(string compression)
    {
        using var image = Samples.Noise(64, 64).Vips();
        var bytes = image.TiffsaveBuffer(
            tile: true,
            tileWidth: 64,
            tileHeight: 64,
            compression: Enum.Parse<NetVips.Enums.ForeignTiffCompression>(compression, ignoreCase: true)
        );
        TestDecoder.Image(bytes);
        TestDecoder.Refused(TiffFile.WithHalfOfItsData(bytes), ImageFault.Unreadable);
    }

    [Fact]
    public void Padding_that_cameras_leave_before_the_end_of_a_jpeg_does_no_harm()
    {
        var bytes = Encode("jpeg");
        Assert.Equal(
            TestDecoder.Image(bytes).Pixels,
            TestDecoder.Image([.. bytes[..^2], 0, 0, 0, .. bytes[^2..]]).Pixels
        );
    }

    [Theory]
    [InlineData(ImageFormat.Png)]
    [InlineData(ImageFormat.Jpeg)]
    [InlineData(ImageFormat.Tiff)]
    [InlineData(ImageFormat.WebP)]
    [InlineData(ImageFormat.Bmp)]
    public void Bytes_after_the_end_do_no_harm(ImageFormat format)
    {
        var bytes = Samples.Encode(Image, format);
        Assert.Equal(TestDecoder.Image(bytes).Pixels, TestDecoder.Image([.. bytes, .. new byte[100]]).Pixels);
    }

    private static byte[] Encode(string kind)
    {
        using var image = Image.Vips();
        return kind switch
        {
            "png" => image.PngsaveBuffer(),
            "png interlaced" => image.PngsaveBuffer(interlace: true),
            "png 16 bits" => SixteenBits(),
            "jpeg" => image.JpegsaveBuffer(),
            "jpeg progressive" => image.JpegsaveBuffer(interlace: true),
            "jpeg with restarts" => image.JpegsaveBuffer(restartInterval: 4),
            "tiff" => image.TiffsaveBuffer(),
            "tiff deflated" => image.TiffsaveBuffer(compression: NetVips.Enums.ForeignTiffCompression.Deflate),
            "tiff tiled" => image.TiffsaveBuffer(tile: true, tileWidth: 32, tileHeight: 32),
            "tiff lzw" => image.TiffsaveBuffer(compression: NetVips.Enums.ForeignTiffCompression.Lzw),
            "tiff jpeg" => image.TiffsaveBuffer(compression: NetVips.Enums.ForeignTiffCompression.Jpeg),
            "tiff jpeg tiled" => image.TiffsaveBuffer(
                compression: NetVips.Enums.ForeignTiffCompression.Jpeg,
                tile: true,
                tileWidth: 64,
                tileHeight: 64
            ),
            "tiff webp" => image.TiffsaveBuffer(compression: NetVips.Enums.ForeignTiffCompression.Webp),
            "tiff fax" => Fax(),
            "tiff packbits" => image.TiffsaveBuffer(compression: NetVips.Enums.ForeignTiffCompression.Packbits),
            "pgm" => Samples.Encode(Image, ImageFormat.Pnm),
            "pgm text" =>
            [
                .. $"P3 {Image.Width} {Image.Height} 255\n{string.Join(' ', Image.Pixels)}\n".Select(c => (byte)c),
            ],
            "webp lossless" => image.WebpsaveBuffer(lossless: true),
            "webp" => image.WebpsaveBuffer(),
            _ => Samples.Encode(Image, ImageFormat.Bmp),
        };
    }

    private static byte[] Fax()
    {
        using var image = Samples.Vips(
            [.. Image.Pixels.Where((_, i) => i % 3 == 0).Select(v => v > 127 ? byte.MaxValue : (byte)0)],
            Image.Width,
            Image.Height,
            1
        );
        return image.TiffsaveBuffer(compression: NetVips.Enums.ForeignTiffCompression.Ccittfax4, bitdepth: 1);
    }

    private static byte[] SixteenBits()
    {
        using var image = Samples.Vips(
            [.. Image.Pixels.Select(v => (ushort)(v * 257 / 2))],
            Image.Width,
            Image.Height,
            3
        );
        return image.PngsaveBuffer();
    }
}
