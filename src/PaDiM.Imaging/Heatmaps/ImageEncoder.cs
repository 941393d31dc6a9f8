using NetVips;

namespace PaDiM.Imaging.Heatmaps;

/// <summary>Encodes images.</summary>
public static class ImageEncoder
{
    /// <summary>Encodes an image as PNG, without metadata.</summary>
    public static byte[] EncodePng(RgbImage image)
    {
        using var pixels = Wrap(image);
        return pixels.PngsaveBuffer(compression: 3, keep: Enums.ForeignKeep.None);
    }

    /// <summary>Encodes a picture for people to look at, without metadata.</summary>
    /// <param name="image">The picture; no side longer than <see cref="GetMaxSide"/>.</param>
    /// <param name="format">The file format.</param>
    public static byte[] EncodePicture(RgbImage image, PictureFormat format)
    {
        using var pixels = Wrap(image);
        return format switch
        {
            // Overlays are photographs: differences of neighbours compress better than pixels.
            PictureFormat.Png => pixels.PngsaveBuffer(
                compression: 3,
                filter: Enums.ForeignPngFilter.Sub,
                keep: Enums.ForeignKeep.None
            ),
            PictureFormat.Jpeg => pixels.JpegsaveBuffer(q: 90, keep: Enums.ForeignKeep.None),
            PictureFormat.Webp => pixels.WebpsaveBuffer(q: 85, effort: 0, keep: Enums.ForeignKeep.None),
            _ => throw new ArgumentOutOfRangeException(nameof(format)),
        };
    }

    /// <summary>Gets the longest side that a format can hold, in pixels.</summary>
    public static int GetMaxSide(PictureFormat format) =>
        format switch
        {
            PictureFormat.Jpeg => 65_500, // libjpeg's own limit, a little below that of the format
            PictureFormat.Webp => 16_383,
            _ => int.MaxValue,
        };

    /// <summary>Encodes a mask as a PNG with one grey channel of 8 bits.</summary>
    /// <param name="values">Shape <c>(height, width)</c>.</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    public static byte[] EncodeMask(byte[] values, int width, int height)
    {
        VipsRuntime.EnsureConfigured();
        using var raw = Image.NewFromMemory(values, width, height, 1, Enums.BandFormat.Uchar);
        using var grey = raw.Copy(interpretation: Enums.Interpretation.Bw);
        return grey.PngsaveBuffer(compression: 3, filter: Enums.ForeignPngFilter.Up, keep: Enums.ForeignKeep.None);
    }

    /// <summary>Encodes an image as a JPEG that fits into a square.</summary>
    /// <param name="image">The image.</param>
    /// <param name="side">Side of the square, in pixels.</param>
    public static byte[] EncodeThumbnail(RgbImage image, int side)
    {
        using var pixels = Wrap(image);
        using var small = pixels.ThumbnailImage(side, height: side, size: Enums.Size.Down);
        return small.JpegsaveBuffer(q: 85, keep: Enums.ForeignKeep.None);
    }

    private static Image Wrap(RgbImage image)
    {
        VipsRuntime.EnsureConfigured();
        using var raw = Image.NewFromMemory(image.Pixels, image.Width, image.Height, 3, Enums.BandFormat.Uchar);
        return raw.Copy(interpretation: Enums.Interpretation.Srgb);
    }
}
