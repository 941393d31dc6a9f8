namespace PaDiM.Core;

/// <summary>
/// Location and scale of numbers, unaffected by a minority of outliers.
/// </summary>
/// <param name="Centre">The median.</param>
/// <param name="Spread">1.4826 times the median distance from the median (MAD), which estimates the standard deviation
/// of normal numbers.</param>
internal readonly record struct RobustScale(double Centre, double Spread)
{
    /// <summary>Estimates the scale of numbers.</summary>
    /// <param name="values">At least one number, in any order.</param>
    /// <param name="smallestSpread">The least spread: among numbers that are closer together, none is an
    /// outlier.</param>
    public static RobustScale Estimate(IEnumerable<double> values, double smallestSpread)
    {
        double[] sorted = [.. values.Order()];
        var centre = GetMedian(sorted);
        return new RobustScale(
            centre,
            Math.Max(smallestSpread, 1.4826 * GetMedian([.. sorted.Select(v => Math.Abs(v - centre)).Order()]))
        );
    }

    /// <summary>Gets the median of sorted numbers: the mean of the two middle ones for an even count.</summary>
    public static double GetMedian(double[] ascending) =>
        (ascending[(ascending.Length - 1) / 2] + ascending[ascending.Length / 2]) / 2;

    /// <summary>Gets by how many spreads a number is above the centre; negative below it.</summary>
    public double GetDeviations(double value) => (value - Centre) / Spread;
}
