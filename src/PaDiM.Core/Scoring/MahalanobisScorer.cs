using PaDiM.Core.Embedding;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Scoring;

/// <summary>
/// Distances of embeddings from a distribution: M(x_p) = sqrt((x_p - mean_p)^T Cov_p^-1 (x_p - mean_p)) (Defard et al.,
/// equation 2, the root taken).
/// </summary>
public static class MahalanobisScorer
{
    /// <summary>
    /// Positions whose vectors are gathered at a time, image after image: memory is read in long runs.
    /// </summary>
    private const int BlockSize = 16;

    /// <summary>
    /// One distance a position. Reads the whole distribution once; never negative, never NaN for finite embeddings.
    /// </summary>
    /// <exception cref="ArgumentException">The embedding has another shape than the distribution.</exception>
    public static AnomalyMap ComputeDistances(
        PatchDistribution distribution,
        PatchEmbedding embedding,
        ParallelOptions? parallel = null
    ) => ComputeDistances(distribution, [embedding.AsTaps()], parallel)[0];

    /// <summary>As above for several images.</summary>
    public static AnomalyMap[] ComputeDistances(
        PatchDistribution distribution,
        IReadOnlyList<PatchEmbedding> batch,
        ParallelOptions? parallel = null
    ) => ComputeDistances(distribution, [.. batch.Select(embedding => embedding.AsTaps())], parallel);

    /// <summary>As above from reduced taps. Each position's factor is read once for all images.</summary>
    public static AnomalyMap[] ComputeDistances(
        PatchDistribution distribution,
        IReadOnlyList<ReducedTaps> batch,
        ParallelOptions? parallel = null
    )
    {
        foreach (var embedding in batch)
            if (embedding.Grid != distribution.Grid || embedding.Dimensions != distribution.Dimensions)
                throw new ArgumentException(
                    $"An embedding of {embedding.Grid} and {embedding.Dimensions} dimensions does not fit a distribution of {distribution.Grid} and {distribution.Dimensions}.",
                    nameof(batch)
                );
        var d = distribution.Dimensions;
        var count = batch.Count;
        var maps = batch
            .Select(_ => new AnomalyMap(distribution.Grid, new float[distribution.Grid.Positions]))
            .ToArray();
        var positions = distribution.Grid.Positions;
        Partition.Run(
            (positions + BlockSize - 1) / BlockSize,
            parallel ?? Partition.AllCores,
            () => new float[BlockSize * count * d + count + distribution.ScratchLength],
            (block, scratch) =>
            {
                var first = block * BlockSize;
                var size = Math.Min(BlockSize, positions - block * BlockSize);
                var norms = scratch.AsSpan(BlockSize * count * d, count);
                for (var i = 0; i < count; i++)
                    batch[i]
                        .Subtract(
                            first,
                            distribution.Mean.Span.Slice(first * d, size * d),
                            scratch.AsSpan(i * d),
                            count * d
                        );
                for (var k = 0; k < size; k++)
                {
                    distribution.ComputeNorms(
                        first + k,
                        scratch.AsSpan(k * count * d, count * d),
                        norms,
                        scratch.AsSpan(BlockSize * count * d + count)
                    );
                    for (var i = 0; i < count; i++)
                        maps[i].Values[first + k] = norms[i];
                }
            }
        );
        // The distribution may lie in memory that only it holds on to.
        GC.KeepAlive(distribution);
        return maps;
    }
}
