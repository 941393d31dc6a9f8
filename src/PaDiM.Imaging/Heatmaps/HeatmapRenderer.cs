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

    /// <summary>The edges of regions are fainter than the outline of a defect.</summary>
    private const float EdgeOpacity = 0.5f;
    private static readonly (byte R, byte G, byte B) Outline = (255, 255, 255);

    /// <summary>Renders a heatmap of the original size: an overlay or a map.</summary>
    /// <param name="image">The original image.</param>
    /// <param name="map">Scores at the original size, from <see cref="OriginalMapper.ToOriginal(AnomalyMap)"/>.</param>
    /// <param name="threshold">Pixels at or above this score are anomalous.</param>
    /// <param name="isAnomalous">The decision: the overlay of a normal image has no outline.</param>
    /// <param name="style">Whether to draw over the image.</param>
    /// <param name="format">The file format.</param>
    /// <param name="regions">Regions of interest, whose edges an overlay shows; null for none.</param>
    public static byte[] Render(
        RgbImage image,
        AnomalyMap map,
        double threshold,
        bool isAnomalous,
        HeatmapStyle style,
        PictureFormat format = PictureFormat.Png,
        IReadOnlyList<RegionPlacement>? regions = null
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
        var picture = new RgbImage(image.Width, image.Height, pixels);
        if (style == HeatmapStyle.Overlay)
            foreach (var region in regions ?? [])
                DrawEdges(picture, region);
        return ImageEncoder.EncodePicture(picture, format);
    }

    /// <summary>Draws the edges of a region, a pixel wide.</summary>
    private static void DrawEdges(RgbImage picture, RegionPlacement region)
    {
        for (var i = 0; i < region.Corners.Count; i++)
        {
            var (fromX, fromY) = region.Corners[i];
            var (toX, toY) = region.Corners[(i + 1) % region.Corners.Count];
            var steps = (int)Math.Ceiling(Math.Max(Math.Abs(toX - fromX), Math.Abs(toY - fromY)));
            for (var step = 0; step < steps; step++)
            {
                var share = (double)step / steps;
                // The far edges end where the next pixel begins.
                var x = Math.Min((int)Math.Floor(fromX + share * (toX - fromX)), picture.Width - 1);
                var y = Math.Min((int)Math.Floor(fromY + share * (toY - fromY)), picture.Height - 1);
                if (x >= 0 && y >= 0)
                    Blend(
                        picture.Pixels.AsSpan(3 * (y * picture.Width + x), 3),
                        Outline.R,
                        Outline.G,
                        Outline.B,
                        EdgeOpacity,
                        picture.Pixels.AsSpan(3 * (y * picture.Width + x), 3)
                    );
            }
        }
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
