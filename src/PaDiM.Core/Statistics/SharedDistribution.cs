using PaDiM.Core.Geometry;

namespace PaDiM.Core.Statistics;

/// <summary>
/// One Gaussian for all patch positions: it does not matter where a patch lies. Its factor is read from the cache, and
/// serves several positions at a time.
/// </summary>
public sealed class SharedDistribution : PatchDistribution
{
    /// <summary>The mean once for each of the positions that are scored at a time.</summary>
    private readonly float[] _means;

    /// <summary>Creates a distribution.</summary>
    /// <param name="grid">Patch positions.</param>
    /// <param name="gaussian">The Gaussian, as a distribution of one position.</param>
    /// <exception cref="ArgumentException">The Gaussian has more positions.</exception>
    public SharedDistribution(Grid grid, PatchDistribution gaussian)
        : base(grid, gaussian.Dimensions, gaussian.Mean, means: 1)
    {
        Gaussian = gaussian;
        _means = new float[MaxRun * Dimensions];
        for (var i = 0; i < MaxRun; i++)
            gaussian.Mean.CopyTo(_means.AsMemory(i * Dimensions));
    }

    /// <summary>Gets the Gaussian, as a distribution of one position.</summary>
    public PatchDistribution Gaussian { get; }

    /// <inheritdoc/>
    public override int GaussianCount => 1;

    /// <inheritdoc/>
    public override long Bytes => Gaussian.Bytes;

    internal override int ScratchLength => Gaussian.ScratchLength;

    internal override ReadOnlySpan<float> MeansAt(int first, int count) => _means.AsSpan(0, count * Dimensions);

    internal override void ComputeNorms(
        int first,
        int count,
        Span<float> deltas,
        Span<float> norms,
        Span<float> scratch
    ) => Gaussian.ComputeNorms(0, deltas, norms, scratch);

    internal override void ComputeNorms(int position, Span<float> deltas, Span<float> norms, Span<float> scratch) =>
        Gaussian.ComputeNorms(0, deltas, norms, scratch);

    /// <inheritdoc/>
    public override void UnpackWhitening(int position, Span<float> square) => Gaussian.UnpackWhitening(0, square);

    internal static SharedDistribution Create(
        SharedStatistics statistics,
        Regularisation regularisation,
        ParallelOptions parallel
    )
    {
        // One factor takes little memory in any form, so a subspace would save none.
        var samples = statistics.ToSamples();
        if (samples.Count < 2)
            throw new ArgumentException("A covariance needs at least 2 patches.", nameof(statistics));
        PatchDistribution? quantised = QuantisedDistribution.TryCreate(samples, regularisation, parallel);
        return new SharedDistribution(
            statistics.Grid,
            quantised ?? FullRankDistribution.Create(samples, regularisation, parallel)
        );
    }
}
