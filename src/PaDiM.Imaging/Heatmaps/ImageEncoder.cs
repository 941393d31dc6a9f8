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
