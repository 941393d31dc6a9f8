using PaDiM.Core.Embedding;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Scoring;

/// <summary>Distances of embeddings from a distribution: M(x_p) = sqrt((x_p - mean_p)^T Cov_p^-1 (x_p - mean_p)) (Defard et al., equation 2, the root taken).</summary>
public static class MahalanobisScorer
{
    /// <summary>One distance a position. Reads the whole distribution once; never negative, never NaN for finite embeddings.</summary>
    /// <exception cref="ArgumentException">The embedding has another shape than the distribution.</exception>
    public static AnomalyMap Distances(PatchDistribution distribution, PatchEmbedding embedding, ParallelOptions? parallel = null) =>
        Distances(distribution, [embedding.AsTaps()], parallel)[0];

    /// <summary>As above for several images.</summary>
    public static AnomalyMap[] Distances(PatchDistribution distribution, IReadOnlyList<PatchEmbedding> batch, ParallelOptions? parallel = null) =>
        Distances(distribution, [.. batch.Select(embedding => embedding.AsTaps())], parallel);

    /// <summary>As above from reduced taps. Each position's factor is read once for all images.</summary>
    public static AnomalyMap[] Distances(PatchDistribution distribution, IReadOnlyList<ReducedTaps> batch, ParallelOptions? parallel = null)
    {
        foreach (var embedding in batch)
            if (embedding.Grid != distribution.Grid || embedding.Dimensions != distribution.Dimensions)
                throw new ArgumentException($"An embedding of {embedding.Grid} and {embedding.Dimensions} dimensions does not fit a distribution of {distribution.Grid} and {distribution.Dimensions}.", nameof(batch));
        var (d, count) = (distribution.Dimensions, batch.Count);
        var maps = batch.Select(_ => new AnomalyMap(distribution.Grid, new float[distribution.Grid.Positions])).ToArray();
        Partition.Run(distribution.Grid.Positions, parallel ?? Partition.AllCores, () => new float[count * (d + 1) + distribution.Scratch], (p, scratch) =>
        {
            var deltas = scratch.AsSpan(0, count * d);
            var norms = scratch.AsSpan(count * d, count);
            for (var i = 0; i < count; i++) batch[i].Subtract(p, distribution.MeanAt(p), deltas.Slice(i * d, d));
            distribution.Norms(p, deltas, norms, scratch.AsSpan(count * (d + 1)));
            for (var i = 0; i < count; i++) maps[i].Values[p] = norms[i];
        });
        // The distribution may lie in a mapped file, which must stay mapped until here.
        GC.KeepAlive(distribution);
        return maps;
    }
}
