using System.Numerics.Tensors;

namespace PaDiM.Core.DatasetReview;

/// <summary>
/// Measures fine detail: ln E1 - (ln E2 + ln V) / 2, where E1 is the mean square of the Laplacian, E2 that of the image
/// at half the resolution and V the variance. A gain multiplies all three alike and cancels. E2 follows the texture of
/// the part, so E1 / E2 varies little within a set; but strong blur reduces both, and then V makes the difference.
/// </summary>
internal static class SharpnessMeasure
{
    /// <summary>
    /// Added before the logarithms, in squared grey levels, to keep them finite for flat images; far below the noise of
    /// any photograph.
    /// </summary>
    private const double LogFloor = 0.01;

    /// <summary>Computes the sharpness of an image.</summary>
    /// <param name="luma">Shape <c>(side, side)</c>, row-major, in grey levels.</param>
    /// <param name="side">Side of the image in pixels, at least 6.</param>
    /// <param name="variance">Variance of luma, in squared grey levels.</param>
    public static float Compute(ReadOnlySpan<float> luma, int side, double variance)
    {
        var half = Halve(luma, side);
        var fine = ComputeLaplacianEnergy(luma, side);
        var coarse = ComputeLaplacianEnergy(half, side / 2);
        return (float)(Math.Log(fine + LogFloor) - 0.5 * (Math.Log(coarse + LogFloor) + Math.Log(variance + LogFloor)));
    }

    /// <summary>
    /// Computes the mean square of 4 f(x, y) - f(x - 1, y) - f(x + 1, y) - f(x, y - 1) - f(x, y + 1) over all but the
    /// outermost pixels.
    /// </summary>
    internal static double ComputeLaplacianEnergy(ReadOnlySpan<float> image, int side)
    {
        var inner = side - 2;
        var row = new float[inner];
        var sum = 0.0;
        for (var y = 1; y <= inner; y++)
        {
            var at = y * side + 1;
            TensorPrimitives.Multiply(image.Slice(at, inner), 4, row);
            TensorPrimitives.Subtract(row, image.Slice(at - 1, inner), row);
            TensorPrimitives.Subtract(row, image.Slice(at + 1, inner), row);
            TensorPrimitives.Subtract(row, image.Slice(at - side, inner), row);
            TensorPrimitives.Subtract(row, image.Slice(at + side, inner), row);
            sum += TensorPrimitives.SumOfSquares<float>(row);
        }
        return sum / ((double)inner * inner);
    }

    /// <summary>Averages 2 x 2 pixels, without the last row and column of an odd side.</summary>
    private static float[] Halve(ReadOnlySpan<float> image, int side)
    {
        var half = side / 2;
        var result = new float[half * half];
        for (var y = 0; y < half; y++)
        {
            var upper = image.Slice(2 * y * side, side);
            var lower = image.Slice((2 * y + 1) * side, side);
            var target = result.AsSpan(y * half, half);
            for (var x = 0; x < half; x++)
                target[x] = (upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1]) / 4;
        }
        return result;
    }
}
