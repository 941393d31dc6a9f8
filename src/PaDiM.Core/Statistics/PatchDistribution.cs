using PaDiM.Core.Geometry;

namespace PaDiM.Core.Statistics;

/// <summary>
/// One frozen Gaussian a patch position, ready to score with (Defard et al., equation 1): the mean, and the covariance
/// in whichever exact form is smaller. Nothing is inverted or factorised at scoring time. Immutable, thread-safe.
/// </summary>
public abstract class PatchDistribution
{
    private protected PatchDistribution(Grid grid, int dimensions, ReadOnlyMemory<float> mean)
    {
        Grid = grid;
        Dimensions = dimensions;
        Mean = Shapes.CheckLength(mean, (long)grid.Positions * dimensions);
    }

    /// <summary>Patch positions.</summary>
    public Grid Grid { get; }

    /// <summary>d.</summary>
    public int Dimensions { get; }

    /// <summary>Means, shape <c>(positions, d)</c>.</summary>
    public ReadOnlyMemory<float> Mean { get; }

    /// <summary>Size of the mean and of the covariance's form.</summary>
    public abstract long Bytes { get; }

    /// <summary>Values of working space that <see cref="ComputeNorms"/> needs.</summary>
    internal abstract int ScratchLength { get; }

    internal ReadOnlySpan<float> MeanAt(int position) => Mean.Span.Slice(position * Dimensions, Dimensions);

    /// <summary>
    /// sqrt(delta^T Cov^-1 delta) of several vectors at a position; never negative, never NaN for finite values.
    /// Allocates nothing.
    /// </summary>
    /// <param name="position">The position.</param>
    /// <param name="deltas">x - mean, shape <c>(norms.Length, d)</c>; used up.</param>
    /// <param name="norms">Takes the distances.</param>
    /// <param name="scratch">Working space.</param>
    internal abstract void ComputeNorms(int position, Span<float> deltas, Span<float> norms, Span<float> scratch);

    /// <summary>
    /// A dense F with F^T F = Cov^-1 at a position, so that M = |F (x - mean)|: for graphs, which multiply whole
    /// matrices. Cost: <c>O(d^2)</c>, times r for a low rank.
    /// </summary>
    /// <param name="position">The position.</param>
    /// <param name="square">F, shape <c>(d, d)</c>, row-major; written over.</param>
    public abstract void UnpackWhitening(int position, Span<float> square);

    /// <summary>
    /// Freezes statistics, all in float64, stored in the smallest form that is exact enough: few images as their
    /// subspace, others as triangles of 16 bits or, where a very small epsilon makes rows too different for these, of
    /// float32. Cost: <c>O(positions * d^3)</c>; <c>O(positions * d n^2)</c> in a subspace.
    /// </summary>
    /// <param name="statistics">At least two images.</param>
    /// <param name="regularisation">What carries the directions that the images leave open.</param>
    /// <param name="parallel">Degree of parallelism and cancellation; all cores when null.</param>
    /// <exception cref="ArgumentException">Fewer than two images.</exception>
    /// <exception cref="ArithmeticException">Statistics that are not finite.</exception>
    public static PatchDistribution Freeze(
        PatchStatistics statistics,
        Regularisation regularisation,
        ParallelOptions? parallel = null
    )
    {
        if (statistics.Count < 2)
            throw new ArgumentException(
                $"A covariance needs at least 2 images, not {statistics.Count}.",
                nameof(statistics)
            );
        parallel ??= Partition.AllCores;
        var subspace = LowRankDistribution.GetLength(statistics.Count - 1, statistics.Dimensions);
        if (2 * subspace < statistics.PackedLength)
            return LowRankDistribution.Create(statistics, regularisation, parallel);
        if (QuantisedDistribution.TryCreate(statistics, regularisation, parallel) is { } quantised)
            return quantised;
        return subspace < statistics.PackedLength
            ? LowRankDistribution.Create(statistics, regularisation, parallel)
            : FullRankDistribution.Create(statistics, regularisation, parallel);
    }

    /// <summary>What one worker needs to factorise covariances.</summary>
    private protected sealed class Factorisation(int d)
    {
        private readonly DenseTriangle _work = new(d);

        /// <summary>Cov's whitening factor, packed by columns.</summary>
        public double[] Factor { get; } = new double[PackedTriangle.GetLength(d)];

        /// <summary>Cov's diagonal.</summary>
        public double[] Variances { get; } = new double[d];

        /// <summary>Factorises Cov at a position.</summary>
        public void Factorise(PatchStatistics statistics, Regularisation regularisation, int position)
        {
            var (scale, ridge) = regularisation.GetScaleAndRidge(statistics, position);
            ReadOnlySpan<double> scatter = statistics.ScatterAt(position);
            for (int j = 0, at = 0; j < d; at += d - j++)
                Variances[j] = scatter[at] * scale + ridge;
            PackedTriangle.Whiten(scatter, scale, ridge, _work, Factor);
        }
    }

    private protected static float[] ToSingle(double[] values) => Array.ConvertAll(values, value => (float)value);
}
