using System.Numerics.Tensors;
using PaDiM.Core.DatasetReview;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.InputChecks;

/// <summary>
/// What an image is like before a network sees it. Measured at the prepared size, where the pixels are few, and the
/// same way in fit and score.
/// </summary>
/// <param name="Size">Rows and columns of the upright file; null if they are not known.</param>
/// <param name="Brightness">Mean luma, 0 to 255.</param>
/// <param name="Contrast">Standard deviation of luma.</param>
/// <param name="WhiteShare">Share of pixels with luma of at least 253, 0 to 1.</param>
/// <param name="Sharpness">Amount of fine detail, a natural logarithm that no gain changes.</param>
/// <param name="Brightest">The largest value of any channel, 0 to 255.</param>
public readonly record struct InputTraits(
    Grid? Size,
    double Brightness,
    double Contrast,
    double WhiteShare,
    double Sharpness,
    double Brightest
)
{
    private const float WhiteLimit = 253;

    /// <summary>Measures an image.</summary>
    /// <param name="luma">Shape <c>(shape.Height, shape.Width)</c>, of pixels that are rounded to 8 bits.</param>
    /// <param name="shape">What the prepared image shows of the original.</param>
    /// <param name="brightest">The largest value of any channel.</param>
    /// <param name="size">Rows and columns of the upright file; null if they are not known.</param>
    public static InputTraits Measure(ReadOnlySpan<float> luma, Grid shape, float brightest, Grid? size)
    {
        var mean = TensorPrimitives.Sum(luma) / (double)luma.Length;
        var variance = Math.Max(0, TensorPrimitives.SumOfSquares(luma) / (double)luma.Length - mean * mean);
        var white = 0;
        foreach (var value in luma)
            white += value >= WhiteLimit ? 1 : 0;
        return new InputTraits(
            size,
            mean,
            Math.Sqrt(variance),
            (double)white / luma.Length,
            SharpnessMeasure.Compute(luma, shape, variance),
            brightest
        );
    }
}
