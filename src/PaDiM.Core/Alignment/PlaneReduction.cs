using System.Numerics.Tensors;

namespace PaDiM.Core.Alignment;

/// <summary>
/// Shrinks square planes: each value of the result is the mean over its area of the original.
/// </summary>
internal static class PlaneReduction
{
    /// <summary>
    /// Shrinks a plane by averaging areas. For ratios that are not whole, border pixels count by the share of them that
    /// is inside the area.
    /// </summary>
    /// <param name="plane">Shape <c>(side, side)</c>.</param>
    /// <param name="side">Side of the plane, in pixels.</param>
    /// <param name="target">Side of the result in pixels, at most <paramref name="side"/>.</param>
    /// <returns>Shape <c>(target, target)</c>; a copy if the sizes are equal.</returns>
    public static float[] Reduce(ReadOnlySpan<float> plane, int side, int target)
    {
        if (side == target)
            return plane.ToArray();
        var ratio = (double)side / target;
        var narrowed = new float[target * target];
        var row = new float[side];
        for (var y = 0; y < target; y++)
        {
            Array.Clear(row);
            var (first, last) = GetPixelRange(y, ratio, side);
            for (var k = first; k <= last; k++)
                TensorPrimitives.MultiplyAdd(plane.Slice(k * side, side), GetShare(k, y, ratio), row, row);
            for (var x = 0; x < target; x++)
            {
                var (left, right) = GetPixelRange(x, ratio, side);
                var sum = 0f;
                for (var k = left; k <= right; k++)
                    sum += row[k] * GetShare(k, x, ratio);
                narrowed[y * target + x] = sum;
            }
        }
        return narrowed;
    }

    private static (int First, int Last) GetPixelRange(int index, double ratio, int side) =>
        ((int)(index * ratio), Math.Min((int)Math.Ceiling((index + 1) * ratio), side) - 1);

    private static float GetShare(int pixel, int index, double ratio) =>
        (float)(Math.Max(0, Math.Min(pixel + 1, (index + 1) * ratio) - Math.Max(pixel, index * ratio)) / ratio);
}
