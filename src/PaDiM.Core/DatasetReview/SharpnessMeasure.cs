using System.Numerics.Tensors;

namespace PaDiM.Core.DatasetReview;

/// <summary>
/// How much fine detail an image has: ln E1 - (ln E2 + ln V) / 2, where E1 is the mean square of the Laplacian, E2 that
/// of the image at half the resolution and V the variance. A gain multiplies all three alike, and so cancels. E2
/// follows the texture of the part, which makes E1 / E2 steady within a set; but strong blur takes from both, and V
/// alone then still tells.
/// </summary>
internal static class SharpnessMeasure
{
    /// <summary>
    /// Far below the noise of any photograph, in squared grey levels; keeps the logarithms of flat images finite.
    /// </summary>
    private const double LogFloor = 0.01;

    /// <summary>Measures an image.</summary>
    /// <param name="luma">Shape <c>(side, side)</c>, row-major, in grey levels.</param>
    /// <param name="side">Pixels, at least 6.</param>
    /// <param name="variance">Of luma, in squared grey levels.</param>
    public static float Compute(ReadOnlySpan<float> luma, int side, double variance)
    {
        var half = Halve(luma, side);
        var fine = ComputeLaplacianEnergy(luma, side);
        var coarse = ComputeLaplacianEnergy(half, side / 2);
        return (float)(Math.Log(fine + LogFloor) - 0.5 * (Math.Log(coarse + LogFloor) + Math.Log(variance + LogFloor)));
    }

    /// <summary>
    /// Mean square of 4 f(x, y) - f(x - 1, y) - f(x + 1, y) - f(x, y - 1) - f(x, y + 1) over all but the outermost
    /// pixels.
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

    /// <summary>Means of 2 x 2 pixels; the last row and column of an odd side are left out.</summary>
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
