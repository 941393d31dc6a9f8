using System.Numerics.Tensors;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Statistics;

/// <summary>
/// The growing sums of a fit. Images can be added and removed; the result does not depend on their order, but for
/// rounding. Memory does not depend on their number. Not thread-safe; each operation uses several cores.
/// </summary>
public abstract class TrainingStatistics
{
    private protected TrainingStatistics(Grid grid, int dimensions, int count)
    {
        if (count < 0)
            throw new ArgumentOutOfRangeException(nameof(count), count, "The number of images cannot be negative.");
        Grid = grid;
        Dimensions = dimensions;
        Count = count;
    }

    /// <summary>Gets the grid of patch positions.</summary>
    public Grid Grid { get; }

    /// <summary>Gets the length d of an embedding vector.</summary>
    public int Dimensions { get; }

    /// <summary>Gets the number of images n.</summary>
    public int Count { get; private set; }

    internal int PackedLength => PackedTriangle.GetLength(Dimensions);

    /// <summary>Creates statistics without images.</summary>
    /// <param name="positions">Which patches a Gaussian describes.</param>
    /// <param name="grid">Patch positions.</param>
    /// <param name="dimensions">Length d of an embedding vector.</param>
    /// <param name="shares">The share of each position that counts; null if all count. Positions with Gaussians of
    /// their own do not need it.</param>
    public static TrainingStatistics Create(PatchPositions positions, Grid grid, int dimensions, float[]? shares) =>
        positions == PatchPositions.Shared
            ? new SharedStatistics(grid, dimensions, shares)
            : new PatchStatistics(grid, dimensions);

    /// <summary>Gets whether <see cref="Create"/> would give statistics to which the same images can be added.</summary>
    /// <param name="positions">Which patches a Gaussian describes.</param>
    /// <param name="shares">The share of each position that counts; null if all count.</param>
    public abstract bool IsFor(PatchPositions positions, float[]? shares);

    /// <summary>Adds images.</summary>
    /// <exception cref="ArgumentException">An embedding has another shape or is not finite.</exception>
    public void Add(IReadOnlyList<PatchEmbedding> batch, ParallelOptions? parallel = null) =>
        Update(batch, +1, parallel ?? Partition.AllCores);

    /// <summary>Removes images that were added before.</summary>
    /// <exception cref="ArgumentException">More images than were added, or an embedding has another shape.</exception>
    public void Remove(IReadOnlyList<PatchEmbedding> batch, ParallelOptions? parallel = null) =>
        Update(batch, -1, parallel ?? Partition.AllCores);

    /// <summary>Empties the sums.</summary>
    private protected abstract void Clear();

    /// <summary>Adds or removes at least one image; at least one is there before or after it.</summary>
    /// <param name="batch">Embeddings of the right shape.</param>
    /// <param name="sign">1 to add, -1 to remove.</param>
    /// <param name="parallel">Degree of parallelism and cancellation.</param>
    private protected abstract void UpdateSums(IReadOnlyList<PatchEmbedding> batch, int sign, ParallelOptions parallel);

    /// <summary>Records that the sums hold more images.</summary>
    private protected void Grow(int images) => Count += images;

    private void Update(IReadOnlyList<PatchEmbedding> batch, int sign, ParallelOptions parallel)
    {
        if (batch.Count == 0)
            return;
        foreach (var embedding in batch)
            CheckEmbedding(embedding);
        var after = Count + sign * batch.Count;
        if (after < 0)
            throw new ArgumentException($"{batch.Count} images cannot be removed from {Count}.", nameof(batch));
        if (after == 0)
            Clear();
        else
            UpdateSums(batch, sign, parallel);
        Count = after;
    }

    private void CheckEmbedding(PatchEmbedding embedding)
    {
        if (embedding.Grid != Grid || embedding.Dimensions != Dimensions)
            throw new ArgumentException(
                $"An embedding with {embedding.Grid} and {embedding.Dimensions} dimensions does not fit statistics "
                    + $"with {Grid} and {Dimensions} dimensions.",
                nameof(embedding)
            );
        if (!float.IsFinite(TensorPrimitives.SumOfMagnitudes<float>(embedding.Values)))
            throw new ArgumentException(
                "An embedding has a value that is not finite: the backbone or its input is broken.",
                nameof(embedding)
            );
    }
}
