using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

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
    /// <param name="luma">Shape <c>(size.Height, size.Width)</c>, row-major, in grey levels.</param>
    /// <param name="size">Rows and columns. A side of less than 6 pixels has no detail that can be measured.</param>
    /// <param name="variance">Variance of luma, in squared grey levels.</param>
    public static float Compute(ReadOnlySpan<float> luma, Grid size, double variance)
    {
        var half = new Grid(size.Height / 2, size.Width / 2);
        var fine = ComputeLaplacianEnergy(luma, size);
        var coarse = ComputeLaplacianEnergy(Halve(luma, size.Width, half), half);
        return (float)(Math.Log(fine + LogFloor) - 0.5 * (Math.Log(coarse + LogFloor) + Math.Log(variance + LogFloor)));
    }

    /// <summary>
    /// Computes the mean square of 4 f(x, y) - f(x - 1, y) - f(x + 1, y) - f(x, y - 1) - f(x, y + 1) over all but the
    /// outermost pixels.
    /// </summary>
    internal static double ComputeLaplacianEnergy(ReadOnlySpan<float> image, Grid size)
    {
        var inner = new Grid(size.Height - 2, size.Width - 2);
        if (inner.Height < 1 || inner.Width < 1)
            return 0;
        var row = new float[inner.Width];
        var sum = 0.0;
        for (var y = 1; y <= inner.Height; y++)
        {
            var at = y * size.Width + 1;
            TensorPrimitives.Multiply(image.Slice(at, inner.Width), 4, row);
            TensorPrimitives.Subtract(row, image.Slice(at - 1, inner.Width), row);
            TensorPrimitives.Subtract(row, image.Slice(at + 1, inner.Width), row);
            TensorPrimitives.Subtract(row, image.Slice(at - size.Width, inner.Width), row);
            TensorPrimitives.Subtract(row, image.Slice(at + size.Width, inner.Width), row);
            sum += TensorPrimitives.SumOfSquares<float>(row);
        }
        return sum / ((double)inner.Height * inner.Width);
    }

    /// <summary>Averages 2 x 2 pixels, without the last row or column of an odd side.</summary>
    private static float[] Halve(ReadOnlySpan<float> image, int width, Grid half)
    {
        var result = new float[half.Positions];
        for (var y = 0; y < half.Height; y++)
        {
            var upper = image.Slice(2 * y * width, width);
            var lower = image.Slice((2 * y + 1) * width, width);
            var target = result.AsSpan(y * half.Width, half.Width);
            for (var x = 0; x < half.Width; x++)
                target[x] = (upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1]) / 4;
        }
        return result;
    }
}
