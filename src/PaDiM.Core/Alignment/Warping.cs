using PaDiM.Core.Geometry;

namespace PaDiM.Core.Alignment;

/// <summary>Bilinear resampling of square images and maps by a <see cref="RigidTransform"/>. Thread-safe.</summary>
public static class Warping
{
    /// <summary>
    /// Brings an image into the frame of the template: every pixel is sampled at the position of the same point of the
    /// part in the image. Cost: one pass.
    /// </summary>
    /// <param name="image">Shape <c>(side, side, 3)</c>, interleaved.</param>
    /// <param name="side">Side of the square, in pixels.</param>
    /// <param name="transform">The transform from the template to the image.</param>
    /// <param name="result">Receives shape <c>(side, side, 3)</c>; outside of the image its nearest edge is repeated.
    /// Must not overlap the image.</param>
    /// <exception cref="ArgumentException">A span has another length.</exception>
    public static void ToTemplate(ReadOnlySpan<float> image, int side, RigidTransform transform, Span<float> result)
    {
        CheckLength(image.Length, 3 * (long)side * side, nameof(image));
        CheckLength(result.Length, image.Length, nameof(result));
        var (sin, cos) = Math.SinCos(transform.Angle);
        for (var y = 0; y < side; y++)
        {
            // Along a row the mapped point moves by (cos, sin) per pixel: one Map per row is enough.
            var (startX, startY) = transform.Map(0, y, side);
            for (var x = 0; x < side; x++)
            {
                var (left, right, shareX) = GetNeighbours(startX + cos * x, side);
                var (top, bottom, shareY) = GetNeighbours(startY + sin * x, side);
                // Indices of the first channel of the four neighbours.
                var topLeft = 3 * (top * side + left);
                var topRight = 3 * (top * side + right);
                var bottomLeft = 3 * (bottom * side + left);
                var bottomRight = 3 * (bottom * side + right);
                var target = 3 * (y * side + x);
                for (var channel = 0; channel < 3; channel++)
                    result[target + channel] = Blend(
                        image[topLeft + channel],
                        image[topRight + channel],
                        image[bottomLeft + channel],
                        image[bottomRight + channel],
                        shareX,
                        shareY
                    );
            }
        }
    }

    /// <summary>Brings a map from the frame of the template into the frame of its image. Cost: one pass.</summary>
    /// <param name="map">Shape <c>(side, side)</c>, in the frame of the template.</param>
    /// <param name="side">Side of the square, in pixels.</param>
    /// <param name="transform">The transform from the template to the image, as for <see cref="ToTemplate"/>.</param>
    /// <param name="result">Receives shape <c>(side, side)</c>; 0 for pixels of the image whose centre is outside of
    /// the template. Must not overlap the map.</param>
    /// <exception cref="ArgumentException">A span has another length.</exception>
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

    /// <summary>Samples a single-channel plane at a point, clamped to its edge.</summary>
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
    /// Returns whether a coordinate is within the area of the pixels, which ends half a pixel past the outermost
    /// centres.
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

    /// <summary>Gets the two pixels around a clamped coordinate, and the share of the upper one.</summary>
    private static (int Low, int High, float Share) GetNeighbours(double coordinate, int side)
    {
        coordinate = Math.Clamp(coordinate, 0, side - 1);
        var low = (int)coordinate;
        return (low, Math.Min(low + 1, side - 1), (float)(coordinate - low));
    }

    private static void CheckLength(long length, long expected, string name)
    {
        if (length != expected)
            throw new ArgumentException($"'{name}' has {length} values, but its shape has {expected}.", name);
    }
}
