using PaDiM.Core.Embedding;

namespace PaDiM.Core.Statistics;

/// <summary>
/// One frozen Gaussian a patch position, ready to score with (Defard et al., equation 1): the mean, and the covariance in whichever exact form is smaller.
/// Nothing is inverted or factorised at scoring time. Immutable, thread-safe.
/// </summary>
public abstract class PatchDistribution
{
    private protected PatchDistribution(Grid grid, int dimensions, float[] mean) =>
        (Grid, Dimensions, Mean) = (grid, dimensions, Shapes.Checked(mean, (long)grid.Positions * dimensions));

    /// <summary>Patch positions.</summary>
    public Grid Grid { get; }

    /// <summary>d.</summary>
    public int Dimensions { get; }

    /// <summary>Means, shape <c>(positions, d)</c>.</summary>
    public float[] Mean { get; }

    /// <summary>Size of the mean and of the covariance's form.</summary>
    public abstract long Bytes { get; }

    /// <summary>Values of working space that <see cref="Norm"/> needs.</summary>
    internal abstract int Scratch { get; }

    internal ReadOnlySpan<float> MeanAt(int position) => Mean.AsSpan(position * Dimensions, Dimensions);

    /// <summary>sqrt(delta^T Cov^-1 delta) at a position; never negative, never NaN for finite values.</summary>
    /// <param name="position">The position.</param>
    /// <param name="delta">x - mean, length d; used up.</param>
    /// <param name="scratch">Working space.</param>
    internal abstract float Norm(int position, Span<float> delta, Span<float> scratch);

    /// <summary>
    /// Freezes statistics, all in float64, stored as float32. Cost: <c>O(positions * d^3)</c>; <c>O(positions * d n^2)</c> for so few images that their
    /// subspace takes less room than a triangle.
    /// </summary>
    /// <param name="statistics">At least two images.</param>
    /// <param name="regularisation">What carries the directions that the images leave open.</param>
    /// <param name="parallel">Degree of parallelism and cancellation; all cores when null.</param>
    /// <exception cref="ArgumentException">Fewer than two images.</exception>
    /// <exception cref="ArithmeticException">Statistics that are not finite.</exception>
    public static PatchDistribution Freeze(PatchStatistics statistics, Regularisation regularisation, ParallelOptions? parallel = null)
    {
        if (statistics.Count < 2) throw new ArgumentException($"A covariance needs at least 2 images, not {statistics.Count}.", nameof(statistics));
        var rank = statistics.Count - 1;
        return LowRankDistribution.Length(rank, statistics.Dimensions) < statistics.Packed
            ? LowRankDistribution.Of(statistics, regularisation, parallel ?? Partition.AllCores)
            : FullRankDistribution.Of(statistics, regularisation, parallel ?? Partition.AllCores);
    }
}
