using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Alignment;

/// <summary>
/// Shrinks planes by one ratio along both axes: each value of the result is the mean over its area of the original.
/// </summary>
internal static class PlaneReduction
{
    /// <summary>Gets the size of a shrunk plane, rounded; at least 1 x 1.</summary>
    /// <param name="size">Rows and columns of the plane.</param>
    /// <param name="ratio">Pixels of the plane per pixel of the result, at least 1.</param>
    public static Grid GetSize(Grid size, double ratio) =>
        new(Math.Max(1, (int)Math.Round(size.Height / ratio)), Math.Max(1, (int)Math.Round(size.Width / ratio)));

    /// <summary>
    /// Shrinks a plane by averaging areas. For ratios that are not whole, border pixels count by the share of them that
    /// is inside the area. The centre of the result is that of the plane.
    /// </summary>
    /// <param name="plane">Shape <c>(size.Height, size.Width)</c>.</param>
    /// <param name="size">Rows and columns of the plane.</param>
    /// <param name="ratio">Pixels of the plane per pixel of the result, at least 1.</param>
    /// <returns>The shape that <see cref="GetSize"/> gets; a copy for a ratio of 1.</returns>
    public static float[] Reduce(ReadOnlySpan<float> plane, Grid size, double ratio)
    {
        var target = GetSize(size, ratio);
        if (target == size)
            return plane.ToArray();
        var rows = CreateAreas(size.Height, target.Height, ratio);
        var columns = CreateAreas(size.Width, target.Width, ratio);
        var narrowed = new float[target.Positions];
        var row = new float[size.Width];
        for (var y = 0; y < target.Height; y++)
        {
            Array.Clear(row);
            for (var k = 0; k < rows[y].Shares.Length; k++)
                TensorPrimitives.MultiplyAdd(
                    plane.Slice((rows[y].First + k) * size.Width, size.Width),
                    rows[y].Shares[k],
                    row,
                    row
                );
            for (var x = 0; x < target.Width; x++)
            {
                var (left, shares) = columns[x];
                var sum = 0f;
                for (var k = 0; k < shares.Length; k++)
                    sum += row[left + k] * shares[k];
                narrowed[y * target.Width + x] = sum;
            }
        }
        return narrowed;
    }

    /// <summary>Creates the first pixel of each area along an axis, and the shares of it and those after it.</summary>
    private static (int First, float[] Shares)[] CreateAreas(int length, int target, double ratio)
    {
        // A rounded length leaves a little over on both ends, or reaches a little beyond.
        var start = (length - target * ratio) / 2;
        if (Math.Abs(start) < 1e-9)
            start = 0;
        var areas = new (int, float[])[target];
        for (var i = 0; i < target; i++)
        {
            var from = Math.Max(0, start + i * ratio);
            var to = Math.Min(length, start + (i + 1) * ratio);
            var first = (int)from;
            var last = Math.Min((int)Math.Ceiling(to), length) - 1;
            var covered = start == 0 ? ratio : to - from;
            var shares = new float[last - first + 1];
            for (var k = first; k <= last; k++)
                shares[k - first] = (float)(Math.Max(0, Math.Min(k + 1, to) - Math.Max(k, from)) / covered);
            areas[i] = (first, shares);
        }
        return areas;
    }
}
