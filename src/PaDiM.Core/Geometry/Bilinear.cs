namespace PaDiM.Core.Geometry;

/// <summary>
/// Bilinear interpolation between the four pixels around a point; beyond the edge, the nearest pixel. A coordinate is
/// that of pixel centres: pixel <c>i</c> is at <c>i</c>.
/// </summary>
public static class Bilinear
{
    /// <summary>Samples a plane at a point.</summary>
    /// <param name="plane">Shape <c>(height, width)</c>.</param>
    /// <param name="x">Across.</param>
    /// <param name="y">Down.</param>
    /// <param name="size">Rows and columns.</param>
    public static float Sample(ReadOnlySpan<float> plane, double x, double y, Grid size)
    {
        var (left, right, shareX) = GetNeighbours(x, size.Width);
        var (top, bottom, shareY) = GetNeighbours(y, size.Height);
        return Blend(
            plane[top * size.Width + left],
            plane[top * size.Width + right],
            plane[bottom * size.Width + left],
            plane[bottom * size.Width + right],
            shareX,
            shareY
        );
    }

    /// <summary>Gets the two pixels around a coordinate, and the share of the second one.</summary>
    /// <param name="coordinate">The coordinate; clamped to the pixels.</param>
    /// <param name="length">Number of pixels.</param>
    public static (int Low, int High, float Share) GetNeighbours(double coordinate, int length)
    {
        coordinate = Math.Clamp(coordinate, 0, length - 1);
        var low = (int)coordinate;
        return (low, Math.Min(low + 1, length - 1), (float)(coordinate - low));
    }

    /// <summary>Blends the values of four pixels.</summary>
    /// <param name="topLeft">The value at the upper left.</param>
    /// <param name="topRight">The value at the upper right.</param>
    /// <param name="bottomLeft">The value at the lower left.</param>
    /// <param name="bottomRight">The value at the lower right.</param>
    /// <param name="shareX">The share of the right pixels, 0 to 1.</param>
    /// <param name="shareY">The share of the lower pixels, 0 to 1.</param>
    public static float Blend(
        float topLeft,
        float topRight,
        float bottomLeft,
        float bottomRight,
        float shareX,
        float shareY
    )
    {
        var top = topLeft + (topRight - topLeft) * shareX;
        var bottom = bottomLeft + (bottomRight - bottomLeft) * shareX;
        return top + (bottom - top) * shareY;
    }
}
