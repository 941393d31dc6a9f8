namespace PaDiM.Core;

/// <summary>
/// Where the bulk of some numbers lies and how widely it is spread, whatever a minority of them does.
/// </summary>
/// <param name="Centre">The median.</param>
/// <param name="Spread">1.4826 times the median distance from it: the standard deviation, were the numbers
/// normal.</param>
internal readonly record struct RobustScale(double Centre, double Spread)
{
    /// <summary>The scale of at least one number.</summary>
    /// <param name="values">In any order.</param>
    /// <param name="smallestSpread">Taken where the numbers are closer together: too small a difference makes none of
    /// them stand out.</param>
    public static RobustScale Estimate(IEnumerable<double> values, double smallestSpread)
    {
        double[] sorted = [.. values.Order()];
        var centre = GetMedian(sorted);
        return new RobustScale(
            centre,
            Math.Max(smallestSpread, 1.4826 * GetMedian([.. sorted.Select(v => Math.Abs(v - centre)).Order()]))
        );
    }

    /// <summary>The median of sorted numbers, the mean of the two middle ones for an even count.</summary>
    public static double GetMedian(double[] ascending) =>
        (ascending[(ascending.Length - 1) / 2] + ascending[ascending.Length / 2]) / 2;

    /// <summary>How many spreads a number lies above the centre; negative below it.</summary>
    public double GetDeviations(double value) => (value - Centre) / Spread;
}
