using System.Numerics.Tensors;

namespace PaDiM.Core.Embedding;

/// <summary>
/// The reduced taps of one image, whose sum, the coarser ones replicated (nearest) onto the finest grid, is its embedding: x_p in R^d at each position. Scoring
/// reads it position by position and never holds all of it. Thread-safe; valid while the maps are.
/// </summary>
public sealed class ReducedTaps
{
    private readonly (FeatureMap Map, int[] Rows, int[] Columns)[] taps;

    /// <summary>Takes maps together.</summary>
    /// <param name="maps">At least one, of d dimensions each.</param>
    /// <param name="dimensions">d.</param>
    /// <exception cref="ArgumentException">A map that does not hold as many values as its shape.</exception>
    public ReducedTaps(IReadOnlyList<FeatureMap> maps, int dimensions)
    {
        if (maps.Any(map => map.Values.Length != (long)map.Grid.Positions * dimensions)) throw new ArgumentException("A map does not hold as many values as its shape.", nameof(maps));
        (Grid, Dimensions) = (maps.MaxBy(map => map.Grid.Positions).Grid, dimensions);
        taps = [.. maps.Select(map => (map, Nearest(map.Grid.Height, Grid.Height), Nearest(map.Grid.Width, Grid.Width)))];
    }

    /// <summary>Positions of the finest tap.</summary>
    public Grid Grid { get; }

    /// <summary>d.</summary>
    public int Dimensions { get; }

    /// <summary>x_p - subtrahend.</summary>
    /// <param name="position">p.</param>
    /// <param name="subtrahend">Length d.</param>
    /// <param name="target">Takes the difference, length d.</param>
    public void Subtract(int position, ReadOnlySpan<float> subtrahend, Span<float> target)
    {
        TensorPrimitives.Subtract(At(taps[0], position), subtrahend, target);
        for (var i = 1; i < taps.Length; i++) TensorPrimitives.Add(target, At(taps[i], position), target);
    }

    /// <summary>x_p.</summary>
    /// <param name="position">p.</param>
    /// <param name="target">Takes the vector, length d.</param>
    public void CopyTo(int position, Span<float> target)
    {
        At(taps[0], position).CopyTo(target);
        for (var i = 1; i < taps.Length; i++) TensorPrimitives.Add(target, At(taps[i], position), target);
    }

    private ReadOnlySpan<float> At(in (FeatureMap Map, int[] Rows, int[] Columns) tap, int position)
    {
        var (row, column) = Math.DivRem(position, Grid.Width);
        return tap.Map.Values.Span.Slice((tap.Rows[row] * tap.Map.Grid.Width + tap.Columns[column]) * Dimensions, Dimensions);
    }

    /// <summary>For each row (or column) of the fine axis, the nearest one of the coarse axis.</summary>
    private static int[] Nearest(int coarse, int fine) => [.. Enumerable.Range(0, fine).Select(i => (int)((long)i * coarse / fine))];
}
