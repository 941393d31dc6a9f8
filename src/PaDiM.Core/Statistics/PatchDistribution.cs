using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Statistics;

/// <summary>
/// A frozen Gaussian at each patch position, ready for scoring (Defard et al., equation 1): the mean, and the covariance
/// in the smallest form that is exact enough. Scoring inverts and factorises nothing. Immutable, thread-safe.
/// </summary>
public abstract class PatchDistribution
{
    /// <summary>The most consecutive positions that are scored at a time.</summary>
    internal const int MaxRun = 16;

    private protected PatchDistribution(Grid grid, int dimensions, ReadOnlyMemory<float> mean)
        : this(grid, dimensions, mean, grid.Positions) { }

    private protected PatchDistribution(Grid grid, int dimensions, ReadOnlyMemory<float> mean, int means)
    {
        Grid = grid;
        Dimensions = dimensions;
        Mean = Shapes.CheckLength(mean, (long)means * dimensions);
    }

    /// <summary>Gets the grid of patch positions.</summary>
    public Grid Grid { get; }

    /// <summary>Gets the length d of an embedding vector.</summary>
    public int Dimensions { get; }

    /// <summary>Gets the means, shape <c>(positions, d)</c>; of a Gaussian that all positions share, <c>(1, d)</c>.</summary>
    public ReadOnlyMemory<float> Mean { get; }

    /// <summary>Gets the number of Gaussians: that of positions, or 1 that all share.</summary>
    public virtual int GaussianCount => Grid.Positions;

    /// <summary>Gets the size of means and covariances in bytes.</summary>
    public abstract long Bytes { get; }

    /// <summary>Gets the number of floats of scratch memory that <c>ComputeNorms</c> needs.</summary>
    internal abstract int ScratchLength { get; }

    /// <summary>Gets the means of consecutive positions, at most <see cref="MaxRun"/>; shape <c>(count, d)</c>.</summary>
    internal virtual ReadOnlySpan<float> MeansAt(int first, int count) =>
        Mean.Span.Slice(first * Dimensions, count * Dimensions);

    /// <summary>Computes the distances of several vectors at each of several consecutive positions.</summary>
    /// <param name="first">Index of the first position.</param>
    /// <param name="count">Number of positions.</param>
    /// <param name="deltas">x - mean, shape <c>(count, norms.Length / count, d)</c>; overwritten.</param>
    /// <param name="norms">Receives the distances, position after position.</param>
    /// <param name="scratch">At least <see cref="ScratchLength"/> floats.</param>
    internal virtual void ComputeNorms(int first, int count, Span<float> deltas, Span<float> norms, Span<float> scratch)
    {
        var vectors = norms.Length / count;
        for (var k = 0; k < count; k++)
            ComputeNorms(
                first + k,
                deltas.Slice(k * vectors * Dimensions, vectors * Dimensions),
                norms.Slice(k * vectors, vectors),
                scratch
            );
    }

    /// <summary>
    /// Computes sqrt(delta^T Cov^-1 delta) for several vectors at a position (Defard et al., equation 2); never
    /// negative, never NaN for finite values. Allocates nothing.
    /// </summary>
    /// <param name="position">Index of the position.</param>
    /// <param name="deltas">x - mean, shape <c>(norms.Length, d)</c>; overwritten.</param>
    /// <param name="norms">Receives the distances.</param>
    /// <param name="scratch">At least <see cref="ScratchLength"/> floats.</param>
    internal abstract void ComputeNorms(int position, Span<float> deltas, Span<float> norms, Span<float> scratch);

    /// <summary>
    /// Unpacks a dense F with F^T F = Cov^-1 at a position, so that M = |F (x - mean)|: for graphs, which multiply
    /// whole matrices. Cost: <c>O(d^2)</c>, times r for rank r.
    /// </summary>
    /// <param name="position">Index of the position.</param>
    /// <param name="square">Receives F, shape <c>(d, d)</c>, row-major.</param>
    public abstract void UnpackWhitening(int position, Span<float> square);

    /// <summary>
    /// Freezes statistics. Computes in float64 and stores the smallest form that is exact enough: few images as their
    /// subspace, others as 16-bit triangles or, where a very small epsilon makes rows too different for 16 bits, as
    /// float32 triangles. Cost: <c>O(positions * d^3)</c>, or <c>O(positions * d n^2)</c> in a subspace.
    /// </summary>
    /// <param name="statistics">Statistics with at least two images, or two patches where all positions share a
    /// Gaussian.</param>
    /// <param name="regularisation">Adds variance in the directions that the images do not span.</param>
    /// <param name="parallel">Degree of parallelism and cancellation; all cores when null.</param>
    /// <exception cref="ArgumentException">There are fewer.</exception>
    /// <exception cref="ArithmeticException">The statistics are not finite.</exception>
    public static PatchDistribution Freeze(
        TrainingStatistics statistics,
        Regularisation regularisation,
        ParallelOptions? parallel = null
    )
    {
        parallel ??= Partition.AllCores;
        if (statistics is SharedStatistics shared)
            return SharedDistribution.Create(shared, regularisation, parallel);
        if (statistics.Count < 2)
            throw new ArgumentException(
                $"A covariance needs at least 2 images, not {statistics.Count}.",
                nameof(statistics)
            );
        return Freeze((PatchStatistics)statistics, regularisation, parallel);
    }

    private static PatchDistribution Freeze(
        PatchStatistics statistics,
        Regularisation regularisation,
        ParallelOptions parallel
    )
    {
        // A subspace is stored in float32 and a triangle in 16 bits, hence the factor 2.
        var subspace = LowRankDistribution.GetLength(statistics.Count - 1, statistics.Dimensions);
        if (2 * subspace < statistics.PackedLength)
            return LowRankDistribution.Create(statistics, regularisation, parallel);
        if (QuantisedDistribution.TryCreate(statistics, regularisation, parallel) is { } quantised)
            return quantised;
        return subspace < statistics.PackedLength
            ? LowRankDistribution.Create(statistics, regularisation, parallel)
            : FullRankDistribution.Create(statistics, regularisation, parallel);
    }

    /// <summary>The buffers that one worker needs to factorise covariances.</summary>
    private protected sealed class Factorisation(int d)
    {
        private readonly DenseTriangle _work = new(d);

        /// <summary>Gets the whitening factor of Cov, packed by columns.</summary>
        public double[] Factor { get; } = new double[PackedTriangle.GetLength(d)];

        /// <summary>Gets the diagonal of Cov, length d.</summary>
        public double[] Variances { get; } = new double[d];

        /// <summary>Factorises Cov = scale M2 + ridge I, and multiplies the factor by the root of its weight.</summary>
        public void Factorise(ReadOnlySpan<double> scatter, in PositionTerms terms)
        {
            foreach (var column in PackedTriangle.Columns(d))
                Variances[column.Index] = scatter[column.Start] * terms.Scale + terms.Ridge;
            PackedTriangle.Whiten(scatter, terms.Scale, terms.Ridge, _work, Factor);
            if (terms.Weight < 1)
                TensorPrimitives.Multiply(Factor, Math.Sqrt(terms.Weight), Factor);
        }
    }

    private protected static float[] ToSingle(double[] values) => Array.ConvertAll(values, value => (float)value);
}
