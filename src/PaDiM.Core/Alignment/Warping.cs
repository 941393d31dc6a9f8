using PaDiM.Core.Geometry;

namespace PaDiM.Core.Alignment;

/// <summary>Bilinear resampling of square images and maps by a <see cref="RigidTransform"/>. Thread-safe.</summary>
public static class Warping
{
    /// <summary>
    /// Brings an image into the frame of the template: every pixel is sampled where its point of the part lies. Cost:
    /// one pass.
    /// </summary>
    /// <param name="image">Shape <c>(side, side, 3)</c>, interleaved.</param>
    /// <param name="side">Pixels.</param>
    /// <param name="transform">From the template to the image.</param>
    /// <param name="result">Shape <c>(side, side, 3)</c>; where the image has no content, its nearest edge. Must not
    /// overlap the image.</param>
    /// <exception cref="ArgumentException">Spans of another shape.</exception>
    public static void ToTemplate(ReadOnlySpan<float> image, int side, RigidTransform transform, Span<float> result)
    {
        CheckLength(image.Length, 3 * (long)side * side, nameof(image));
        CheckLength(result.Length, image.Length, nameof(result));
        var (sin, cos) = Math.SinCos(transform.Angle);
        for (var y = 0; y < side; y++)
        {
            var (startX, startY) = transform.Map(0, y, side);
            for (var x = 0; x < side; x++)
            {
                var (left, right, shareX) = GetNeighbours(startX + cos * x, side);
                var (top, bottom, shareY) = GetNeighbours(startY + sin * x, side);
                var a = 3 * (top * side + left);
                var b = 3 * (top * side + right);
                var c = 3 * (bottom * side + left);
                var d = 3 * (bottom * side + right);
                var at = 3 * (y * side + x);
                for (var k = 0; k < 3; k++)
                    result[at + k] = Blend(image[a + k], image[b + k], image[c + k], image[d + k], shareX, shareY);
            }
        }
    }

    /// <summary>Carries a map from the frame of the template to the image it belongs to. Cost: one pass.</summary>
    /// <param name="map">Shape <c>(side, side)</c>, in the frame of the template.</param>
    /// <param name="side">Pixels.</param>
    /// <param name="transform">From the template to the image, as for <see cref="ToTemplate"/>.</param>
    /// <param name="result">Shape <c>(side, side)</c>; 0 at pixels of the image whose centre no pixel of the template
    /// covers. Must not overlap the map.</param>
    /// <exception cref="ArgumentException">Spans of another shape.</exception>
    public static void ToImage(ReadOnlySpan<float> map, int side, RigidTransform transform, Span<float> result)
    {
        CheckLength(map.Length, (long)side * side, nameof(map));
        CheckLength(result.Length, map.Length, nameof(result));
        var inverse = transform.Inverse();
        var (sin, cos) = Math.SinCos(inverse.Angle);
        for (var y = 0; y < side; y++)
        {
            var (startX, startY) = inverse.Map(0, y, side);
            for (var x = 0; x < side; x++)
            {
                var px = startX + cos * x;
                var py = startY + sin * x;
                result[y * side + x] = IsCovered(px, side) && IsCovered(py, side) ? Sample(map, px, py, side) : 0;
            }
        }
    }

    /// <summary>A single-channel plane at a place, clamped to its edge.</summary>
    internal static float Sample(ReadOnlySpan<float> plane, double x, double y, int side)
    {
        var (left, right, shareX) = GetNeighbours(x, side);
        var (top, bottom, shareY) = GetNeighbours(y, side);
        return Blend(
            plane[top * side + left],
            plane[top * side + right],
            plane[bottom * side + left],
            plane[bottom * side + right],
            shareX,
            shareY
        );
    }

    /// <summary>
    /// Whether a coordinate lies within the area of the pixels, which ends half a pixel beyond the outermost centres.
    /// </summary>
    internal static bool IsCovered(double coordinate, int side) => coordinate >= -0.5 && coordinate <= side - 0.5;

    private static float Blend(
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

    private static (int Low, int High, float Share) GetNeighbours(double coordinate, int side)
    {
        coordinate = Math.Clamp(coordinate, 0, side - 1);
        var low = (int)coordinate;
        return (low, Math.Min(low + 1, side - 1), (float)(coordinate - low));
    }

    private static void CheckLength(long length, long expected, string name)
    {
        if (length != expected)
            throw new ArgumentException($"'{name}' has {length} values where its shape has {expected}.", name);
    }
}
