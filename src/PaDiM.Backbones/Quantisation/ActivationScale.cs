namespace PaDiM.Backbones.Quantisation;

/// <summary>
/// How a tensor's values become uint8: value = scale * (q - zeroPoint). 0 is always exact, as padding and ReLU demand.
/// </summary>
/// <param name="Scale">One step, above 0.</param>
/// <param name="ZeroPoint">The q of 0.</param>
internal readonly record struct ActivationScale(float Scale, byte ZeroPoint)
{
    private const int MaxQuantised = 255;

    /// <summary>The scale that spans a range; the range is widened to hold 0.</summary>
    public static ActivationScale FromRange(double min, double max)
    {
        min = Math.Min(min, 0);
        max = Math.Max(max, 0);
        var scale = (float)((max - min) / MaxQuantised);
        // A tensor that is always 0, or whose values a float32 scale cannot express.
        if (!(scale > 1e-30f))
            return new ActivationScale(1, 0);
        return new ActivationScale(scale, (byte)Math.Clamp(Math.Round(-min / scale), 0, MaxQuantised));
    }
}
