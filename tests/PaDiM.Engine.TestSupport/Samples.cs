using NetVips;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Engine.TestSupport;

/// <summary>Images to encode: smooth enough for lossy formats, and different in every corner and channel.</summary>
internal static class Samples
{
    /// <summary>The value of a pixel's channel, 0 to 255.</summary>
    public static byte ValueAt(int x, int y, int channel, int width, int height) =>
        channel switch
        {
            0 => (byte)(20 + 200 * x / width),
            1 => (byte)(20 + 200 * y / height),
            _ => (byte)(230 - 100 * x / width - 100 * y / height),
        };

    /// <summary>An opaque image, red first.</summary>
    public static RgbImage Rgb(int width, int height) => new(width, height, Bytes(width, height, 3));

    /// <summary>Samples of any number of channels, interleaved.</summary>
    public static byte[] Bytes(int width, int height, int channels) =>
        [
            .. from y in Enumerable.Range(0, height)
            from x in Enumerable.Range(0, width)
            from c in Enumerable.Range(0, channels)
            select ValueAt(x, y, c, width, height),
        ];

    /// <summary>Bytes that do not compress, so that every part of an encoded file matters.</summary>
    public static RgbImage Noise(int width, int height, int seed = 1)
    {
        var pixels = new byte[width * height * 3];
        new Random(seed).NextBytes(pixels);
        return new RgbImage(width, height, pixels);
    }

    public static Image Vips(this RgbImage image) => Vips(image.Pixels, image.Width, image.Height, 3);

    public static Image Vips(byte[] samples, int width, int height, int channels)
    {
        using var raw = Image.NewFromMemoryCopy(samples, width, height, channels, Enums.BandFormat.Uchar);
        return raw.Copy(interpretation: channels < 3 ? Enums.Interpretation.Bw : Enums.Interpretation.Srgb);
    }

    public static Image Vips(ushort[] samples, int width, int height, int channels)
    {
        using var raw = Image.NewFromMemoryCopy(samples, width, height, channels, Enums.BandFormat.Ushort);
        return raw.Copy(interpretation: channels < 3 ? Enums.Interpretation.Grey16 : Enums.Interpretation.Rgb16);
    }

    /// <summary>
    /// The image in one of the formats that libvips writes; exact but for <see cref="ImageFormat.Jpeg"/>.
    /// </summary>
    public static byte[] Encode(Image image, ImageFormat format) =>
        format switch
        {
            ImageFormat.Png => image.PngsaveBuffer(),
            ImageFormat.Jpeg => image.JpegsaveBuffer(q: 95),
            ImageFormat.Tiff => image.TiffsaveBuffer(),
            ImageFormat.WebP => image.WebpsaveBuffer(lossless: true),
            _ => throw new ArgumentOutOfRangeException(nameof(format)),
        };

    public static byte[] Encode(RgbImage image, ImageFormat format)
    {
        if (format == ImageFormat.Pnm)
            return [.. System.Text.Encoding.ASCII.GetBytes($"P6 {image.Width} {image.Height} 255\n"), .. image.Pixels];
        if (format == ImageFormat.Bmp)
            return new PaDiM.TestSupport.Parts.RgbImage(image.Width, image.Height, image.Pixels).ToBmp();
        using var vips = image.Vips();
        return Encode(vips, format);
    }
}
