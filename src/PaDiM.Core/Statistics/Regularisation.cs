namespace PaDiM.Core.Statistics;

/// <summary>
/// Turns a scatter into an invertible covariance, for each position on its own: Cov = (1 - rho) M2 / (n - 1) + (rho mu
/// + ridge) I, with mu the position's mean variance and rho the intensity of the shrinkage, 0 without shrinkage. The
/// ridge is epsilon, or a share of the mean variance over all positions. Positions that vary less than most may count
/// less. Immutable, and thread-safe once the moments are complete.
/// </summary>
public sealed class Regularisation
{
    /// <summary>
    /// The least ridge relative to the variances, in squared units of the embedding: less is rounding of float32.
    /// </summary>
    public const double MinRidge = 1e-6;

    /// <summary>Positions count in full from this share of the mean variance on.</summary>
    internal const double QuietShare = 0.5;

    private readonly double _epsilon;

    /// <summary>Creates a regularisation.</summary>
    /// <param name="epsilon">Added to every variance, in squared units of the embedding; above 0.</param>
    /// <param name="shrinkage">How rho is chosen.</param>
    /// <param name="moments">The fourth moments that <see cref="ShrinkageMethod.LedoitWolf"/> needs; ignored
    /// otherwise.</param>
    /// <exception cref="ArgumentException">Epsilon is not finite or not above 0, the moments are missing, or the
    /// shrinkage is not chosen yet.</exception>
    public Regularisation(
        double epsilon,
        ShrinkageMethod shrinkage = ShrinkageMethod.None,
        FourthMoments? moments = null
    )
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(epsilon);
        if (!double.IsFinite(epsilon))
            throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, "Epsilon must be finite.");
        if (shrinkage == ShrinkageMethod.Auto)
            throw new ArgumentException("The number of images chooses the shrinkage first.", nameof(shrinkage));
        if (shrinkage == ShrinkageMethod.LedoitWolf && moments is null)
            throw new ArgumentException("Ledoit and Wolf's shrinkage needs fourth moments.", nameof(moments));
        _epsilon = epsilon;
        Shrinkage = shrinkage;
        Moments = moments;
    }

    /// <summary>Gets how rho is chosen.</summary>
    public ShrinkageMethod Shrinkage { get; }

    /// <summary>
    /// Gets the ridge as a share of the mean variance over all positions, in place of epsilon; 0 for epsilon.
    /// </summary>
    public double RelativeRidge { get; init; }

    /// <summary>
    /// Gets the exponent k of the weight w = min(1, t / (0.5 vbar))^k of squared distances, with t the mean variance of
    /// a position and vbar that of all positions; 0 for no weights.
    /// </summary>
    public double QuietExponent { get; init; }

    /// <summary>
    /// Gets the share of each position that counts for the mean variance over all positions; null if all count. What is
    /// ignored must not change scores elsewhere.
    /// </summary>
    public float[]? Shares { get; init; }

    /// <summary>Gets whether positions are compared with all positions.</summary>
    internal bool IsRelative => RelativeRidge > 0 || QuietExponent > 0;

    /// <summary>Gets the fourth moments; null where the shrinkage does not need them.</summary>
    internal FourthMoments? Moments { get; }

    /// <summary>Gets how much each position varies; null if only the position itself matters.</summary>
    internal PositionVariances? Measure(PatchStatistics statistics) =>
        IsRelative ? PositionVariances.Measure(statistics, Shares) : null;

    /// <summary>Gets the terms at a position.</summary>
    /// <param name="statistics">The statistics.</param>
    /// <param name="variances">The result of <see cref="Measure"/>.</param>
    /// <param name="position">Index of the position.</param>
    internal PositionTerms GetTerms(PatchStatistics statistics, PositionVariances? variances, int position)
    {
        var d = statistics.Dimensions;
        var ridge = _epsilon;
        var weight = 1.0;
        if (variances is not null)
        {
            ridge = GetRidge(variances.MeanTrace / ((statistics.Count - 1.0) * d));
            weight = GetWeight(variances.TraceAt(position), variances.MeanTrace);
        }
        var norms = default(ScatterNorms);
        if (Shrinkage != ShrinkageMethod.None)
        {
            var (trace, squared) = PackedTriangle.ComputeNorms(statistics.ScatterAt(position), d);
            norms = new ScatterNorms(trace, squared, Moments?.FourthAt(position) ?? 0);
        }
        var (scale, total) = ComputeScaleAndRidge(statistics.Count, d, norms, ridge);
        return new PositionTerms(scale, total, weight);
    }

    /// <summary>Gets what is added to every variance besides the part of the shrinkage.</summary>
    /// <param name="meanVariance">The mean variance over all positions.</param>
    internal double GetRidge(double meanVariance) =>
        RelativeRidge > 0 ? Math.Max(RelativeRidge * meanVariance, MinRidge) : _epsilon;

    /// <summary>
    /// Gets the weight of squared distances. Two variances, or two traces: only their ratio counts. Where nothing
    /// varies at all, every position counts.
    /// </summary>
    /// <param name="variance">The variance of the position.</param>
    /// <param name="meanVariance">The mean variance over all positions.</param>
    internal double GetWeight(double variance, double meanVariance) =>
        QuietExponent > 0 && meanVariance > 0 && variance < QuietShare * meanVariance
            ? Math.Pow(variance / (QuietShare * meanVariance), QuietExponent)
            : 1;

    /// <summary>
    /// Computes the numbers in Cov = Scale * M2 + Ridge * I for n images with d dimensions. One image has no
    /// covariance: then Cov = ridge I.
    /// </summary>
    internal (double Scale, double Ridge) ComputeScaleAndRidge(int n, int d, in ScatterNorms norms, double ridge)
    {
        if (n < 2)
            return (0, ridge);
        var rho = Shrinkage switch
        {
            ShrinkageMethod.LedoitWolf => ComputeLedoitWolf(n, d, norms),
            ShrinkageMethod.Oas => ComputeOas(n, d, norms),
            _ => 0,
        };
        return ((1 - rho) / (n - 1), rho * norms.Trace / ((n - 1.0) * d) + ridge);
    }

    /// <summary>
    /// Computes rho = min(beta, delta) / delta with S = M2 / n: delta = |S - mu I|^2, beta = (sum |x - mean|^4 / n -
    /// |S|^2) / n. Equation 14 of Ledoit and Wolf, 2004.
    /// </summary>
    internal static double ComputeLedoitWolf(int n, int d, in ScatterNorms norms)
    {
        var squared = norms.Squared / ((double)n * n);
        var mu = norms.Trace / ((double)n * d);
        var delta = squared - d * mu * mu;
        var beta = Math.Min((norms.Fourth / n - squared) / n, delta);
        return beta > 0 ? beta / delta : 0;
    }

    /// <summary>
    /// Computes rho by equation 23 of Chen et al., 2010, in the form that scikit-learn computes; 1 for a scatter that
    /// is already a sphere.
    /// </summary>
    internal static double ComputeOas(int n, int d, in ScatterNorms norms)
    {
        var alpha = norms.Squared / ((double)n * n * d * d);
        var mu = norms.Trace / ((double)n * d);
        var distance = (n + 1.0) * (alpha - mu * mu / d);
        return distance > 0 ? Math.Min((alpha + mu * mu) / distance, 1) : 1;
    }
}

/// <summary>The numbers of a scatter M2 that shrinkage needs.</summary>
/// <param name="Trace">Trace of M2: the sum of the variances times n - 1.</param>
/// <param name="Squared">Sum of the squares of all entries of M2.</param>
/// <param name="Fourth">Sum over the images of |x - mean|^4; 0 if the shrinkage does not need it.</param>
internal readonly record struct ScatterNorms(double Trace, double Squared, double Fourth);
