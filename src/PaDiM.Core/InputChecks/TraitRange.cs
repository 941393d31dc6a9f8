namespace PaDiM.Core.InputChecks;

/// <summary>The range of one trait over the training images.</summary>
/// <param name="Min">The smallest value, unless it stands far out.</param>
/// <param name="Max">The largest value, unless it stands far out.</param>
public sealed record TraitRange(double Min, double Max)
{
    /// <summary>
    /// Values that lie further out, in robust standard deviations, do not widen the range: a bad image among the good
    /// ones must not switch a warning off.
    /// </summary>
    private const double MaxDeviations = 6;

    /// <summary>Estimates the range.</summary>
    /// <param name="values">At least one value.</param>
    /// <param name="smallestSpread">The least robust standard deviation.</param>
    public static TraitRange Estimate(IReadOnlyList<double> values, double smallestSpread)
    {
        var scale = RobustScale.Estimate(values, smallestSpread);
        return new TraitRange(
            Math.Max(values.Min(), scale.Centre - MaxDeviations * scale.Spread),
            Math.Min(values.Max(), scale.Centre + MaxDeviations * scale.Spread)
        );
    }

    /// <summary>
    /// Gets whether a value is below the range by more than a margin and half of the range's width: few images show
    /// only a part of it.
    /// </summary>
    public bool IsBelow(double value, double margin) => value < Min - margin - 0.5 * (Max - Min);

    /// <summary>Gets whether a value is as far above the range.</summary>
    public bool IsAbove(double value, double margin) => value > Max + margin + 0.5 * (Max - Min);

    /// <summary>Gets whether both bounds are finite and in order.</summary>
    public bool IsValid() => double.IsFinite(Min) && double.IsFinite(Max) && Min <= Max;
}
