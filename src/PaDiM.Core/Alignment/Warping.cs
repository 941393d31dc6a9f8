using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
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
        var rows = new SampledRows(transform, size);
        for (var y = 0; y < size.Height; y++)
        {
            // Along a row the mapped point moves by (cos, sin) per pixel: one Map per row is enough.
            var row = rows[y];
            var (first, end) = row.FindInside(size.Width, size);
            for (var x = 0; x < size.Width; x++)
            {
                var target = result[(3 * (y * size.Width + x))..];
                // Four values are read and written for three: the next pixel overwrites the fourth. Not where there is
                // none.
                if (x >= first && x < end && target.Length > 3 && !ReachesEnd(row, x, size))
                    row.SampleChannels(image, size.Width, x).StoreUnsafe(ref MemoryMarshal.GetReference(target));
                else
                    SampleClamped(image, size, row, x, target);
            }
        }
    }

    /// <summary>Gets whether a point lies between the last four pixels of an image.</summary>
    private static bool ReachesEnd(SampledRow row, int x, Grid size) =>
        row.X + row.StepX * x >= size.Width - 2 && row.Y + row.StepY * x >= size.Height - 2;

    private static void SampleClamped(ReadOnlySpan<float> image, Grid size, SampledRow row, int x, Span<float> target)
    {
        var (left, right, shareX) = Bilinear.GetNeighbours(row.X + row.StepX * x, size.Width);
        var (top, bottom, shareY) = Bilinear.GetNeighbours(row.Y + row.StepY * x, size.Height);
        for (var channel = 0; channel < 3; channel++)
            target[channel] = Bilinear.Blend(
                image[3 * (top * size.Width + left) + channel],
                image[3 * (top * size.Width + right) + channel],
                image[3 * (bottom * size.Width + left) + channel],
                image[3 * (bottom * size.Width + right) + channel],
                shareX,
                shareY
            );
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
        var rows = new SampledRows(transform.Inverse(), size);
        for (var y = 0; y < size.Height; y++)
        {
            var row = rows[y];
            var (first, end) = row.FindInside(size.Width, size);
            var target = result.Slice(y * size.Width, size.Width);
            row.Sample(map, size.Width, first, end, target);
            SampleEdge(map, size, row, 0, first, target);
            SampleEdge(map, size, row, end, size.Width, target);
        }
    }

    private static void SampleEdge(
        ReadOnlySpan<float> map,
        Grid size,
        SampledRow row,
        int first,
        int end,
        Span<float> target
    )
    {
        for (var x = first; x < end; x++)
        {
            var px = row.X + row.StepX * x;
            var py = row.Y + row.StepY * x;
            target[x] =
                IsCovered(px, size.Width) && IsCovered(py, size.Height) ? Bilinear.Sample(map, px, py, size) : 0;
        }
    }

    /// <summary>
    /// Returns whether a coordinate is within the area of the pixels, which ends half a pixel past the outermost
    /// centres.
    /// </summary>
    internal static bool IsCovered(double coordinate, int length) => coordinate >= -0.5 && coordinate <= length - 0.5;

    private static void CheckLength(long length, long expected, string name)
    {
        if (length != expected)
            throw new ArgumentException($"'{name}' has {length} values, but its shape has {expected}.", name);
    }
}
