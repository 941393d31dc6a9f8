using PaDiM.Core.Geometry;

namespace PaDiM.Core.Embedding;

/// <summary>
/// The embedding vectors x_p of one image, one for each patch position (Defard et al., section III-A).
/// An owner of a buffer: not thread-safe while it is being written, free to share afterwards.
/// </summary>
/// <param name="grid">Positions of the finest tap.</param>
/// <param name="dimensions">Length d of each vector.</param>
/// <param name="values">Shape <c>(grid.Height, grid.Width, dimensions)</c>, row-major.</param>
public sealed class PatchEmbedding(Grid grid, int dimensions, float[] values)
{
    /// <summary>An embedding of zeros.</summary>
    public PatchEmbedding(Grid grid, int dimensions)
        : this(grid, dimensions, new float[grid.Positions * dimensions]) { }

    /// <summary>Positions of the finest tap.</summary>
    public Grid Grid { get; } = grid;

    /// <summary>Length d of each vector.</summary>
    public int Dimensions { get; } = dimensions;

    /// <summary>All vectors, shape <c>(Height, Width, Dimensions)</c>, row-major.</summary>
    public float[] Values { get; } = Shapes.CheckLength(values, (long)grid.Positions * dimensions);

    /// <summary>
    /// How the part lies in its image, in pixels of the image size; the identity where nothing was aligned.
    /// </summary>
    public RigidTransform Placement { get; set; }

    /// <summary>The vector x_p at one position, length <see cref="Dimensions"/>.</summary>
    public Span<float> this[int position] => Values.AsSpan(position * Dimensions, Dimensions);

    /// <summary>The embedding as one tap.</summary>
    public ReducedTaps AsTaps() => new([new FeatureMap(Values, Grid)], Dimensions);

    /// <summary>The sum of an image's reduced taps at all positions. Cost: <c>O(positions * d)</c> a tap.</summary>
    /// <param name="taps">The taps.</param>
    /// <param name="parallel">Degree of parallelism and cancellation; all cores when null.</param>
    /// <param name="reuse">An embedding that is not needed any more and is written over, if it has the right shape;
    /// null for a new one.</param>
    public static PatchEmbedding FromTaps(
        ReducedTaps taps,
        ParallelOptions? parallel = null,
        PatchEmbedding? reuse = null
    )
    {
        var embedding =
            reuse?.Grid == taps.Grid && reuse.Dimensions == taps.Dimensions
                ? reuse
                : new PatchEmbedding(taps.Grid, taps.Dimensions);
        Partition.Run(taps.Grid.Positions, parallel ?? Partition.AllCores, p => taps.CopyTo(p, embedding[p]));
        return embedding;
    }
}
