namespace PaDiM.Core.Statistics;

/// <summary>
/// Turns a scatter into an invertible covariance, for each position on its own: Cov = (1 - rho) M2 / (n - 1) + (rho mu
/// + epsilon) I, with mu the mean variance and rho the intensity of the shrinkage, 0 without shrinkage. Immutable, and
/// thread-safe once the moments are complete.
/// </summary>
public sealed class Regularisation
{
    private readonly double _epsilon;

    /// <summary>Creates a regularisation.</summary>
    /// <param name="epsilon">Added to every variance, in squared units of the embedding; above 0.</param>
    /// <param name="shrinkage">How rho is chosen.</param>
    /// <param name="moments">The fourth moments that <see cref="ShrinkageMethod.LedoitWolf"/> needs; ignored
    /// otherwise.</param>
    /// <exception cref="ArgumentException">Epsilon is not finite or not above 0, or the moments are
    /// missing.</exception>
    public Regularisation(
        double epsilon,
        ShrinkageMethod shrinkage = ShrinkageMethod.None,
        FourthMoments? moments = null
    )
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(epsilon);
        if (!double.IsFinite(epsilon))
            throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, "Epsilon must be finite.");
        if (shrinkage == ShrinkageMethod.LedoitWolf && moments is null)
            throw new ArgumentException("Ledoit and Wolf's shrinkage needs fourth moments.", nameof(moments));
        _epsilon = epsilon;
        Shrinkage = shrinkage;
        Moments = moments;
    }

    /// <summary>Gets how rho is chosen.</summary>
    public ShrinkageMethod Shrinkage { get; }

    /// <summary>Gets the fourth moments; null where the shrinkage does not need them.</summary>
    internal FourthMoments? Moments { get; }

    /// <summary>Gets the numbers in Cov = Scale * M2 + Ridge * I at a position.</summary>
    internal (double Scale, double Ridge) GetScaleAndRidge(PatchStatistics statistics, int position)
    {
        if (Shrinkage == ShrinkageMethod.None)
            return ComputeScaleAndRidge(statistics.Count, statistics.Dimensions, default);
        var (trace, squared) = PackedTriangle.ComputeNorms(statistics.ScatterAt(position), statistics.Dimensions);
        return ComputeScaleAndRidge(
            statistics.Count,
            statistics.Dimensions,
            new ScatterNorms(trace, squared, Moments?.FourthAt(position) ?? 0)
        );
    }

    /// <summary>
    /// Computes the numbers in Cov = Scale * M2 + Ridge * I for n images with d dimensions. One image has no
    /// covariance: then Cov = epsilon I.
    /// </summary>
    internal (double Scale, double Ridge) ComputeScaleAndRidge(int n, int d, in ScatterNorms norms)
    {
        if (n < 2)
            return (0, _epsilon);
        var rho = Shrinkage switch
        {
            ShrinkageMethod.LedoitWolf => ComputeLedoitWolf(n, d, norms),
            ShrinkageMethod.Oas => ComputeOas(n, d, norms),
            _ => 0,
        };
        return ((1 - rho) / (n - 1), rho * norms.Trace / ((n - 1.0) * d) + _epsilon);
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
