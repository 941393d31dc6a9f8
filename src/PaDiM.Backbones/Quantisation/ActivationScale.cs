namespace PaDiM.Backbones.Quantisation;

/// <summary>
/// Represents the mapping of a tensor's values to uint8: value = scale * (q - zeroPoint). 0 is always exact, as padding
/// and ReLU require.
/// </summary>
/// <param name="Scale">The size of one step, above 0.</param>
/// <param name="ZeroPoint">The q that stands for 0.</param>
internal readonly record struct ActivationScale(float Scale, byte ZeroPoint)
{
    private const int MaxQuantised = 255;

    /// <summary>Creates the scale that covers a range. The range is widened to include 0.</summary>
    public static ActivationScale FromRange(double min, double max)
    {
        min = Math.Min(min, 0);
        max = Math.Max(max, 0);
        var scale = (float)((max - min) / MaxQuantised);
        // The tensor is always 0, or its values are too small for a float32 scale.
        if (!(scale > 1e-30f))
            return new ActivationScale(1, 0);
        return new ActivationScale(scale, (byte)Math.Clamp(Math.Round(-min / scale), 0, MaxQuantised));
    }
}
