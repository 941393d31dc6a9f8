using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;

namespace PaDiM.Imaging.Heatmaps;

/// <summary>Specifies how a heatmap is drawn.</summary>
public enum HeatmapStyle
{
    /// <summary>Colours over the image, transparent where the score is low.</summary>
    Overlay,

    /// <summary>Colours alone.</summary>
    Map,

    /// <summary>White at or above the threshold, black elsewhere; a normal part is black.</summary>
    Mask,
}

/// <summary>
/// Draws scores as colours on a fixed scale with the threshold in its middle: a normal part stays dark, and two
/// heatmaps of one category are comparable. In an overlay of an anomalous image, an outline follows the threshold.
/// </summary>
public static class HeatmapRenderer
{
    /// <summary>Below this fraction of the threshold, an overlay shows the bare image.</summary>
    private const float OverlayStart = 0.6f;
    private const float MaxOpacity = 0.65f;
    private static readonly (byte R, byte G, byte B) Outline = (255, 255, 255);

    /// <summary>Renders a heatmap of the original size: an overlay or a map.</summary>
    /// <param name="image">The original image.</param>
    /// <param name="map">Scores at the original size, from <see cref="OriginalMapper.ToOriginal(AnomalyMap)"/>.</param>
    /// <param name="threshold">Pixels at or above this score are anomalous.</param>
    /// <param name="isAnomalous">The decision: the overlay of a normal image has no outline.</param>
    /// <param name="style">Whether to draw over the image.</param>
    /// <param name="format">The file format.</param>
    public static byte[] Render(
        RgbImage image,
        AnomalyMap map,
        double threshold,
        bool isAnomalous,
        HeatmapStyle style,
        PictureFormat format = PictureFormat.Png
    )
    {
        if (style == HeatmapStyle.Mask)
            throw new ArgumentException("A mask is not drawn, but encoded.", nameof(style));
        if (map.Grid != new Grid(image.Height, image.Width))
            throw new ArgumentException("The map must have the image's size.", nameof(map));
        var pixels = new byte[image.Pixels.Length];
        var scale = (float)(1 / Math.Max(threshold, 1e-6));
        for (var i = 0; i < map.Values.Length; i++)
        {
            var level = map.Values[i] * scale;
            var (r, g, b) = Colormap.GetColour(level / 2);
            var opacity =
                style == HeatmapStyle.Map
                    ? 1
                    : MaxOpacity * Math.Clamp((level - OverlayStart) / (1 - OverlayStart), 0, 1);
            if (style == HeatmapStyle.Overlay && isAnomalous && level >= 1 && IsEdge(map, i, threshold))
                ((r, g, b), opacity) = (Outline, 1);
            Blend(image.Pixels.AsSpan(3 * i, 3), r, g, b, opacity, pixels.AsSpan(3 * i, 3));
        }
        return ImageEncoder.EncodePicture(new RgbImage(image.Width, image.Height, pixels), format);
    }

    /// <summary>Gets whether a pixel at or above the threshold has a neighbour below it.</summary>
    private static bool IsEdge(AnomalyMap map, int at, double threshold)
    {
        var x = at % map.Grid.Width;
        var width = map.Grid.Width;
        var values = map.Values;
        return (x > 0 && values[at - 1] < threshold)
            || (x < width - 1 && values[at + 1] < threshold)
            || (at >= width && values[at - width] < threshold)
            || (at < values.Length - width && values[at + width] < threshold);
    }

    private static void Blend(ReadOnlySpan<byte> under, byte r, byte g, byte b, float opacity, Span<byte> result)
    {
        result[0] = Mix(under[0], r);
        result[1] = Mix(under[1], g);
        result[2] = Mix(under[2], b);

        byte Mix(byte low, byte high) => (byte)(low + (high - low) * opacity + 0.5f);
    }
}
