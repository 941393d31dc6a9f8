using PaDiM.Core.Geometry;

namespace PaDiM.Core.Embedding;

/// <summary>
/// The embedding vectors x_p of one image, one per patch position (Defard et al., section III-A). Owns a buffer: not
/// thread-safe while it is written, safe to share afterwards.
/// </summary>
/// <param name="grid">Patch positions: the grid of the finest tap.</param>
/// <param name="dimensions">Length d of each vector.</param>
/// <param name="values">Shape <c>(grid.Height, grid.Width, dimensions)</c>, row-major.</param>
public sealed class PatchEmbedding(Grid grid, int dimensions, float[] values)
{
    /// <summary>Creates an embedding of zeros.</summary>
    public PatchEmbedding(Grid grid, int dimensions)
        : this(grid, dimensions, new float[grid.Positions * dimensions]) { }

    /// <summary>Gets the patch positions: the grid of the finest tap.</summary>
    public Grid Grid { get; } = grid;

    /// <summary>Gets the length d of each vector.</summary>
    public int Dimensions { get; } = dimensions;

    /// <summary>Gets all vectors, shape <c>(Height, Width, Dimensions)</c>, row-major.</summary>
    public float[] Values { get; } = Shapes.CheckLength(values, (long)grid.Positions * dimensions);

    /// <summary>
    /// Gets or sets the position of the part in its image, in pixels of the image size; the identity without alignment.
    /// </summary>
    public RigidTransform Placement { get; private init; }

    /// <summary>Gets the vector x_p at one position, length <see cref="Dimensions"/>.</summary>
    public Span<float> this[int position] => Values.AsSpan(position * Dimensions, Dimensions);

    /// <summary>Creates an embedding over the same vectors, not a copy of them, with another placement.</summary>
    /// <param name="placement">Position of the part in its image, in pixels of the image size.</param>
    public PatchEmbedding WithPlacement(RigidTransform placement) =>
        new(Grid, Dimensions, Values) { Placement = placement };

    /// <summary>Returns a view of the embedding as one tap.</summary>
    public ReducedTaps AsTaps() => new([new FeatureMap(Values, Grid)], Dimensions);

    /// <summary>
    /// Creates the embedding of an image from its reduced taps. Cost: <c>O(positions * d)</c> per tap.
    /// </summary>
    /// <param name="taps">Reduced taps of one image.</param>
    /// <param name="parallel">Degree of parallelism and cancellation; all cores when null.</param>
    /// <param name="reuse">An embedding that is no longer needed: it is overwritten and returned if it has the right
    /// shape. Null for a new one.</param>
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

    /// <summary>Copies the vectors of the positions that belong to a tile from its reduced taps.</summary>
    /// <param name="tile">The tile, in patch positions of this embedding.</param>
    /// <param name="taps">Reduced taps of the tile.</param>
    /// <param name="parallel">Degree of parallelism and cancellation; all cores when null.</param>
    public void CopyTile(Tile tile, ReducedTaps taps, ParallelOptions? parallel = null) =>
        Partition.Run(
            tile.Height,
            parallel ?? Partition.AllCores,
            row =>
            {
                var y = tile.Top + row;
                for (var x = tile.Left; x < tile.Right; x++)
                    taps.CopyTo((y - tile.Y) * taps.Grid.Width + x - tile.X, this[y * Grid.Width + x]);
            }
        );
}
