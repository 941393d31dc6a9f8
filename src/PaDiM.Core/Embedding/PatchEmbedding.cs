using PaDiM.Core.Alignment;

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
    public PatchEmbedding(Grid grid, int dimensions) : this(grid, dimensions, new float[grid.Positions * dimensions]) { }

    /// <summary>Positions of the finest tap.</summary>
    public Grid Grid { get; } = grid;

    /// <summary>Length d of each vector.</summary>
    public int Dimensions { get; } = dimensions;

    /// <summary>All vectors, shape <c>(Height, Width, Dimensions)</c>, row-major.</summary>
    public float[] Values { get; } = Shapes.Checked(values, (long)grid.Positions * dimensions);

    /// <summary>How the part lies in its image, in pixels of the image size; the identity where nothing was aligned.</summary>
    public RigidTransform Placement { get; set; }

    /// <summary>The vector x_p at one position, length <see cref="Dimensions"/>.</summary>
    public Span<float> this[int position] => Values.AsSpan(position * Dimensions, Dimensions);
}
