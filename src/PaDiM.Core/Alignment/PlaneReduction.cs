using System.Numerics.Tensors;

namespace PaDiM.Core.Alignment;

/// <summary>
/// Smaller versions of a square plane: each value is the mean over the area of the original that it stands for.
/// </summary>
internal static class PlaneReduction
{
    /// <summary>
    /// The mean over areas; exact for ratios that are not whole as well, where border pixels count by the share that
    /// lies inside.
    /// </summary>
    /// <param name="plane">Shape <c>(side, side)</c>.</param>
    /// <param name="side">Pixels.</param>
    /// <param name="target">Pixels, at most <paramref name="side"/>.</param>
    /// <returns>Shape <c>(target, target)</c>; a copy where the sizes are equal.</returns>
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
