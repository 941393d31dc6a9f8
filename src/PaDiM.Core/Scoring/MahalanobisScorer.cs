using PaDiM.Core.Embedding;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Scoring;

/// <summary>
/// Computes distances of embeddings from a distribution: M(x_p) = sqrt((x_p - mean_p)^T Cov_p^-1 (x_p - mean_p)), the
/// root of equation 2 of Defard et al.
/// </summary>
public static class MahalanobisScorer
{
    /// <summary>
    /// Positions whose vectors are gathered at a time, image after image, so that memory is read in long runs.
    /// </summary>
    private const int BlockSize = PatchDistribution.MaxRun;

    /// <summary>
    /// Computes one distance per position. Reads the whole distribution once. Distances are never negative, and never
    /// NaN for finite embeddings.
    /// </summary>
    /// <exception cref="ArgumentException">The embedding has another shape than the distribution.</exception>
    public static AnomalyMap ComputeDistances(
        PatchDistribution distribution,
        PatchEmbedding embedding,
        ParallelOptions? parallel = null
    ) => ComputeDistances(distribution, [embedding.AsTaps()], parallel)[0];

    /// <summary>Computes one distance per position for several images.</summary>
    /// <exception cref="ArgumentException">An embedding has another shape than the distribution.</exception>
    public static AnomalyMap[] ComputeDistances(
        PatchDistribution distribution,
        IReadOnlyList<PatchEmbedding> batch,
        ParallelOptions? parallel = null
    ) => ComputeDistances(distribution, [.. batch.Select(embedding => embedding.AsTaps())], parallel);

    /// <summary>
    /// Computes one distance per position for several images from reduced taps. Reads each position's factor once for
    /// all images.
    /// </summary>
    /// <exception cref="ArgumentException">An embedding has another shape than the distribution.</exception>
    public static AnomalyMap[] ComputeDistances(
        PatchDistribution distribution,
        IReadOnlyList<ReducedTaps> batch,
        ParallelOptions? parallel = null
    )
    {
        foreach (var embedding in batch)
            if (embedding.Grid != distribution.Grid || embedding.Dimensions != distribution.Dimensions)
                throw new ArgumentException(
                    $"An embedding with {embedding.Grid} and {embedding.Dimensions} dimensions does not fit a "
                        + $"distribution with {distribution.Grid} and {distribution.Dimensions} dimensions.",
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
            () => new float[BlockSize * count * (d + 1) + distribution.ScratchLength],
            (block, scratch) =>
            {
                // The scratch holds the differences, shape (BlockSize, count, d), then the norms, shape (BlockSize,
                // count), then what the distribution needs.
                var first = block * BlockSize;
                var size = Math.Min(BlockSize, positions - block * BlockSize);
                var deltas = scratch.AsSpan(0, size * count * d);
                var norms = scratch.AsSpan(BlockSize * count * d, size * count);
                for (var i = 0; i < count; i++)
                    batch[i].Subtract(first, distribution.MeansAt(first, size), deltas[(i * d)..], count * d);
                distribution.ComputeNorms(first, size, deltas, norms, scratch.AsSpan(BlockSize * count * (d + 1)));
                for (var k = 0; k < size; k++)
                for (var i = 0; i < count; i++)
                    maps[i].Values[first + k] = norms[k * count + i];
            }
        );
        // The spans above may point into a mapped file that the distribution alone keeps alive.
        GC.KeepAlive(distribution);
        return maps;
    }
}
