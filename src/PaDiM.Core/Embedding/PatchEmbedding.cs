using System.Numerics.Tensors;
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

    /// <summary>
    /// The sum of an image's reduced taps, the coarser ones replicated (nearest) onto the finest grid: x_p in R^d at each position. Cost:
    /// <c>O(positions * d)</c> a tap.
    /// </summary>
    /// <param name="taps">Maps of d dimensions, at least one.</param>
    /// <param name="dimensions">d.</param>
    /// <param name="parallel">Degree of parallelism and cancellation; all cores when null.</param>
    /// <param name="reuse">An embedding that is not needed any more and is written over, if it has the right shape; null for a new one.</param>
    /// <exception cref="ArgumentException">A map that does not hold as many values as its shape.</exception>
    public static PatchEmbedding Of(IReadOnlyList<FeatureMap> taps, int dimensions, ParallelOptions? parallel = null, PatchEmbedding? reuse = null)
    {
        if (taps.Any(tap => tap.Values.Length != (long)tap.Grid.Positions * dimensions)) throw new ArgumentException("A map does not hold as many values as its shape.", nameof(taps));
        var grid = taps.MaxBy(tap => tap.Grid.Positions).Grid;
        var embedding = reuse?.Grid == grid && reuse.Dimensions == dimensions ? reuse : new PatchEmbedding(grid, dimensions);
        var finest = taps.Select((tap, i) => (tap, i)).First(pair => pair.tap.Grid == grid).i;
        Partition.Run(grid.Height, parallel ?? Partition.AllCores, y =>
        {
            var row = embedding.Values.AsSpan(y * grid.Width * dimensions, grid.Width * dimensions);
            taps[finest].Values.Span.Slice(y * row.Length, row.Length).CopyTo(row);
            for (var i = 0; i < taps.Count; i++)
                if (i != finest) AddReplicated(taps[i], y, grid, dimensions, row);
        });
        return embedding;
    }

    private static void AddReplicated(FeatureMap tap, int y, Grid grid, int dimensions, Span<float> row)
    {
        var source = tap.Values.Span.Slice((int)((long)y * tap.Grid.Height / grid.Height) * tap.Grid.Width * dimensions, tap.Grid.Width * dimensions);
        for (var x = 0; x < grid.Width; x++)
        {
            var target = row.Slice(x * dimensions, dimensions);
            TensorPrimitives.Add(target, source.Slice((int)((long)x * tap.Grid.Width / grid.Width) * dimensions, dimensions), target);
        }
    }
}
