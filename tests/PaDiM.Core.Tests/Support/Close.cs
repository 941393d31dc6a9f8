namespace PaDiM.Core.Tests.Support;

/// <summary>Comparisons whose messages give the distance between numbers.</summary>
internal static class Close
{
    /// <summary>The largest |actual - expected| / |expected|; absolute where the expected value is 0.</summary>
    public static double Error(IEnumerable<double> expected, IEnumerable<double> actual) =>
        expected
            .Zip(
                actual,
                (e, a) => double.IsFinite(a) ? Math.Abs(a - e) / (e == 0 ? 1 : Math.Abs(e)) : double.PositiveInfinity
            )
            .DefaultIfEmpty(0)
            .Max();

    /// <summary>Asserts that every value is within a relative tolerance.</summary>
    public static void Relative(
        IReadOnlyCollection<double> expected,
        IReadOnlyCollection<double> actual,
        double tolerance
    )
    {
        Assert.Equal(expected.Count, actual.Count);
        Assert.InRange(Error(expected, actual), 0, tolerance);
    }

    /// <inheritdoc cref="Relative(IReadOnlyCollection{double}, IReadOnlyCollection{double}, double)"/>
    public static void Relative(IReadOnlyCollection<double> expected, float[] actual, double tolerance) =>
        Relative(expected, Array.ConvertAll(actual, v => (double)v), tolerance);

    /// <summary>
    /// Asserts that every error is within a share of the largest expected value: for sums that may cancel.
    /// </summary>
    public static void OfScale(
        IReadOnlyCollection<double> expected,
        IReadOnlyCollection<double> actual,
        double tolerance
    )
    {
        Assert.Equal(expected.Count, actual.Count);
        var scale = Math.Max(expected.Max(Math.Abs), 1e-30);
        Assert.InRange(
            expected
                .Zip(actual, (e, a) => double.IsFinite(a) ? Math.Abs(a - e) / scale : double.PositiveInfinity)
                .Max(),
            0,
            tolerance
        );
    }
}
