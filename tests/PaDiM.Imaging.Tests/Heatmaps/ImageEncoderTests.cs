using NetVips;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;

namespace PaDiM.Imaging.Tests.Heatmaps;

public sealed class ImageEncoderTests
{
    [Theory]
    [InlineData(PictureFormat.Png, ImageFormat.Png, 0)]
    [InlineData(PictureFormat.Jpeg, ImageFormat.Jpeg, 12)]
    [InlineData(PictureFormat.Webp, ImageFormat.WebP, 12)]
    public void A_picture_is_of_its_format_and_shows_what_was_drawn(
        PictureFormat format,
        ImageFormat expected,
        int tolerance
    )
    {
        var image = Smooth(61, 47);
        var bytes = ImageEncoder.EncodePicture(image, format);
        var decoded = Assert.IsType<DecodeResult.Decoded>(new ImageDecoder().Decode(bytes));
        Assert.Equal(expected, decoded.Format);
        Assert.Equal((61, 47), (decoded.Image.Width, decoded.Image.Height));
        Assert.InRange(image.Pixels.Zip(decoded.Image.Pixels, (a, b) => Math.Abs(a - b)).Max(), 0, tolerance);
        Assert.Equal(bytes, ImageEncoder.EncodePicture(image, format));
    }

    [Theory]
    [InlineData(PictureFormat.Jpeg)]
    [InlineData(PictureFormat.Webp)]
    public void The_longest_side_can_be_encoded_and_one_more_pixel_cannot(PictureFormat format)
    {
        var side = ImageEncoder.GetMaxSide(format);
        Assert.NotEmpty(ImageEncoder.EncodePicture(new RgbImage(side, 1, new byte[3 * side]), format));
        Assert.Throws<VipsException>(() =>
            ImageEncoder.EncodePicture(new RgbImage(65_536, 1, new byte[3 * 65_536]), format)
        );
    }

    [Fact]
    public void A_mask_is_one_grey_channel_with_its_values()
    {
        byte[] values = [0, 255, 0, 255, 255, 0];
        var png = ImageEncoder.EncodeMask(values, 3, 2);
        using var image = Image.NewFromBuffer(png);
        Assert.Equal((3, 2, 1), (image.Width, image.Height, image.Bands));
        Assert.Equal(values, image.WriteToMemory<byte>());
    }

    private static RgbImage Smooth(int width, int height)
    {
        var pixels = new byte[3 * width * height];
        for (var i = 0; i < width * height; i++)
            (pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]) = (
                (byte)(4 * (i % width)),
                (byte)(5 * (i / width)),
                (byte)(2 * (i % width) + 2 * (i / width))
            );
        return new RgbImage(width, height, pixels);
    }
}
