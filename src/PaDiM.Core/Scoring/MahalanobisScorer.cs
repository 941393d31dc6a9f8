using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
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

    /// <summary>
    /// Computes the distances of the positions that belong to some tiles of one image, and writes them where they lie
    /// in the map of the whole image.
    /// </summary>
    /// <param name="distribution">The distribution over the whole image.</param>
    /// <param name="tiles">Tiles in patch positions, and their features.</param>
    /// <param name="map">Receives the distances; its grid is that of the distribution.</param>
    /// <param name="parallel">Degree of parallelism; all cores when null.</param>
    /// <exception cref="ArgumentException">The features or the map have another shape than the
    /// distribution.</exception>
    public static void ComputeDistances(
        PatchDistribution distribution,
        IReadOnlyList<(Tile Tile, ReducedTaps Features)> tiles,
        AnomalyMap map,
        ParallelOptions? parallel = null
    )
    {
        if (map.Grid != distribution.Grid || tiles.Any(tile => tile.Features.Dimensions != distribution.Dimensions))
            throw new ArgumentException(
                $"Tiles of a map with {map.Grid} do not fit a distribution with {distribution.Grid} and "
                    + $"{distribution.Dimensions} dimensions.",
                nameof(tiles)
            );
        var d = distribution.Dimensions;
        var width = distribution.Grid.Width;
        var rows = tiles
            .SelectMany(tile =>
                Enumerable.Range(tile.Tile.Top, tile.Tile.Height).Select(y => (tile.Tile, tile.Features, Y: y))
            )
            .ToArray();
        Partition.Run(
            rows.Length,
            parallel ?? Partition.AllCores,
            () => new float[BlockSize * d + distribution.ScratchLength],
            (index, scratch) =>
            {
                var (tile, features, y) = rows[index];
                for (var x = tile.Left; x < tile.Right; x += BlockSize)
                {
                    var first = y * width + x;
                    var size = Math.Min(BlockSize, tile.Right - x);
                    var deltas = scratch.AsSpan(0, size * d);
                    features.Subtract(
                        (y - tile.Y) * features.Grid.Width + x - tile.X,
                        distribution.MeansAt(first, size),
                        deltas,
                        d
                    );
                    var norms = map.Values.AsSpan(first, size);
                    distribution.ComputeNorms(first, size, deltas, norms, scratch.AsSpan(BlockSize * d));
                }
            }
        );
        // As above.
        GC.KeepAlive(distribution);
    }
}
