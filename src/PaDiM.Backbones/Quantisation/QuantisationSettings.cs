namespace PaDiM.Backbones.Quantisation;

/// <summary>Lists the methods for choosing the range of an activation from its values on calibration images.</summary>
public enum RangeMethod
{
    /// <summary>All values.</summary>
    MinMax,

    /// <summary>All but one value in ten thousand at each end.</summary>
    Percentile,

    /// <summary>The range with the least expected squared error.</summary>
    LeastSquares,
}

/// <summary>
/// Represents the settings of quantisation. The defaults give the least feature error
/// (docs/decisions/0011-int8-backbones.md).
/// </summary>
public sealed record QuantisationSettings
{
    /// <summary>Gets the method for activation ranges.</summary>
    public RangeMethod Range { get; init; } = RangeMethod.LeastSquares;

    /// <summary>
    /// Gets the bits of a weight, 7 or 8. With 7, the sum of two products of a uint8 and a weight fits 16 bits, so
    /// processors without VNNI (where vpmaddubsw saturates) compute the same integers as those with VNNI.
    /// </summary>
    public int WeightBits { get; init; } = 7;

    /// <summary>
    /// Gets whether convolutions that read the image stay float32, and those that directly read the output of such a
    /// convolution.
    /// </summary>
    public bool FloatStem { get; init; } = true;

    /// <summary>Gets whether convolutions whose output is only a tap stay float32.</summary>
    public bool FloatTaps { get; init; } = true;

    /// <summary>Gets whether biases compensate for the mean rounding error of the weights.</summary>
    public bool CorrectBias { get; init; } = true;
}
