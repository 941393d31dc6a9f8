namespace PaDiM.Backbones.Quantisation;

/// <summary>How the range of an activation is chosen from what calibration images showed of it.</summary>
public enum RangeMethod
{
    /// <summary>All values seen.</summary>
    MinMax,

    /// <summary>All but one value in ten thousand at either end.</summary>
    Percentile,

    /// <summary>The range of least expected squared error.</summary>
    LeastSquares,
}

/// <summary>
/// Choices of quantisation; the defaults are those of least feature error (docs/decisions/0011-int8-backbones.md).
/// </summary>
public sealed record QuantisationSettings
{
    /// <summary>How activation ranges are chosen.</summary>
    public RangeMethod Range { get; init; } = RangeMethod.LeastSquares;

    /// <summary>
    /// Bits of a weight, 7 or 8. With 7 the sum of two products of a uint8 and a weight fits 16 bits, so that
    /// processors without VNNI (vpmaddubsw saturates) give the same integers as those with it.
    /// </summary>
    public int WeightBits { get; init; } = 7;

    /// <summary>
    /// Convolutions that read the image itself stay float32, and so do those that read what such ones give, with
    /// nothing between.
    /// </summary>
    public bool FloatStem { get; init; } = true;

    /// <summary>Convolutions whose result is a tap and nothing else stay float32.</summary>
    public bool FloatTaps { get; init; } = true;

    /// <summary>Biases make up for the mean error of the weights' rounding.</summary>
    public bool CorrectBias { get; init; } = true;
}
