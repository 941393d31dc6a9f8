using PaDiM.Core.Geometry;

namespace PaDiM.Core.Alignment;

/// <summary>Bilinear resampling of images and maps by a <see cref="RigidTransform"/>. Thread-safe.</summary>
public static class Warping
{
    /// <summary>
    /// Brings an image into the frame of the template: every pixel is sampled at the position of the same point of the
    /// part in the image. Cost: one pass.
    /// </summary>
    /// <param name="image">Shape <c>(height, width, 3)</c>, interleaved.</param>
    /// <param name="size">Rows and columns.</param>
    /// <param name="transform">The transform from the template to the image.</param>
    /// <param name="result">Receives shape <c>(height, width, 3)</c>; outside of the image its nearest edge is repeated.
    /// Must not overlap the image.</param>
    /// <exception cref="ArgumentException">A span has another length.</exception>
    public static void ToTemplate(ReadOnlySpan<float> image, Grid size, RigidTransform transform, Span<float> result)
    {
        CheckLength(image.Length, 3L * size.Positions, nameof(image));
        CheckLength(result.Length, image.Length, nameof(result));
        var (sin, cos) = Math.SinCos(transform.Angle);
        for (var y = 0; y < size.Height; y++)
        {
            // Along a row the mapped point moves by (cos, sin) per pixel: one Map per row is enough.
            var (startX, startY) = transform.Map(0, y, size);
            for (var x = 0; x < size.Width; x++)
            {
                var (left, right, shareX) = GetNeighbours(startX + cos * x, size.Width);
                var (top, bottom, shareY) = GetNeighbours(startY + sin * x, size.Height);
                // Indices of the first channel of the four neighbours.
                var topLeft = 3 * (top * size.Width + left);
                var topRight = 3 * (top * size.Width + right);
                var bottomLeft = 3 * (bottom * size.Width + left);
                var bottomRight = 3 * (bottom * size.Width + right);
                var target = 3 * (y * size.Width + x);
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
    /// <param name="map">Shape <c>(height, width)</c>, in the frame of the template.</param>
    /// <param name="size">Rows and columns.</param>
    /// <param name="transform">The transform from the template to the image, as for <see cref="ToTemplate"/>.</param>
    /// <param name="result">Receives shape <c>(height, width)</c>; 0 for pixels of the image whose centre is outside of
    /// the template. Must not overlap the map.</param>
    /// <exception cref="ArgumentException">A span has another length.</exception>
    public static void ToImage(ReadOnlySpan<float> map, Grid size, RigidTransform transform, Span<float> result)
    {
        CheckLength(map.Length, size.Positions, nameof(map));
        CheckLength(result.Length, map.Length, nameof(result));
        var inverse = transform.Inverse();
        var (sin, cos) = Math.SinCos(inverse.Angle);
        for (var y = 0; y < size.Height; y++)
        {
            var (startX, startY) = inverse.Map(0, y, size);
            for (var x = 0; x < size.Width; x++)
            {
                var px = startX + cos * x;
                var py = startY + sin * x;
                result[y * size.Width + x] =
                    IsCovered(px, size.Width) && IsCovered(py, size.Height) ? Sample(map, px, py, size) : 0;
            }
        }
    }

    /// <summary>Samples a single-channel plane at a point, clamped to its edge.</summary>
    internal static float Sample(ReadOnlySpan<float> plane, double x, double y, Grid size)
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

    /// <summary>
    /// Returns whether a coordinate is within the area of the pixels, which ends half a pixel past the outermost
    /// centres.
    /// </summary>
    internal static bool IsCovered(double coordinate, int length) => coordinate >= -0.5 && coordinate <= length - 0.5;

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
    private static (int Low, int High, float Share) GetNeighbours(double coordinate, int length)
    {
        coordinate = Math.Clamp(coordinate, 0, length - 1);
        var low = (int)coordinate;
        return (low, Math.Min(low + 1, length - 1), (float)(coordinate - low));
    }

    private static void CheckLength(long length, long expected, string name)
    {
        if (length != expected)
            throw new ArgumentException($"'{name}' has {length} values, but its shape has {expected}.", name);
    }
}
