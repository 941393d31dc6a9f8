using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Embedding;

/// <summary>
/// The reduced taps of one image, the coarser ones replicated (nearest) onto the finest grid. Together they are the
/// embedding, x_p in R^d per position: for a projection the sum of maps with d dimensions each, for a selection of
/// channels the concatenation of maps with d dimensions in total. Scoring reads runs of positions and never holds the
/// whole embedding. Thread-safe; valid only as long as the maps.
/// </summary>
public sealed class ReducedTaps
{
    private readonly Tap[] _taps;

    /// <summary>Combines maps.</summary>
    /// <param name="maps">At least one map; each with d dimensions, or all together with d dimensions.</param>
    /// <param name="dimensions">Length d of an embedding vector.</param>
    /// <exception cref="ArgumentException">A map has too many or too few values for its shape, or the maps have other
    /// dimensions.</exception>
    public ReducedTaps(IReadOnlyList<FeatureMap> maps, int dimensions)
    {
        Grid = maps.MaxBy(map => map.Grid.Positions).Grid;
        Dimensions = dimensions;
        _taps = new Tap[maps.Count];
        var lengths = maps.Select(map => Math.DivRem(map.Values.Length, map.Grid.Positions)).ToArray();
        var first = 0;
        var isSum = lengths.All(length => length.Quotient == dimensions);
        if (
            lengths.Any(length => length.Remainder != 0)
            || !(isSum || lengths.Sum(length => length.Quotient) == dimensions)
        )
            throw new ArgumentException($"The maps must have {dimensions} dimensions each or in total.", nameof(maps));
        for (var i = 0; i < _taps.Length; i++)
        {
            var grid = maps[i].Grid;
            var length = lengths[i].Quotient;
            _taps[i] = new Tap(
                maps[i],
                length,
                isSum ? 0 : first,
                isSum && i > 0,
                GetNearestIndices(grid.Height, Grid.Height),
                GetNearestIndices(grid.Width, Grid.Width)
            );
            first += length;
        }
    }

    /// <summary>Gets the patch positions: the grid of the finest tap.</summary>
    public Grid Grid { get; }

    /// <summary>Gets the length d of an embedding vector.</summary>
    public int Dimensions { get; }

    /// <summary>Computes x_p - mean_p for consecutive positions.</summary>
    /// <param name="first">Index of the first position.</param>
    /// <param name="means">Shape <c>(positions, d)</c>.</param>
    /// <param name="target">Receives the differences, length d each.</param>
    /// <param name="stride">Values from one difference to the next, at least d.</param>
    public void Subtract(int first, ReadOnlySpan<float> means, Span<float> target, int stride)
    {
        var d = Dimensions;
        foreach (var tap in _taps)
        {
            var values = tap.Map.Values.Span;
            var cursor = new TapCursor(tap, first, Grid.Width);
            for (var i = 0; i * d < means.Length; i++)
            {
                var vector = values.Slice(cursor.Next(), tap.Length);
                var difference = target.Slice(i * stride + tap.First, tap.Length);
                // The first map of a sum, and every map of a concatenation, subtracts the mean; the others are added.
                if (tap.IsAdded)
                    TensorPrimitives.Add(difference, vector, difference);
                else
                    TensorPrimitives.Subtract(vector, means.Slice(i * d + tap.First, tap.Length), difference);
            }
        }
    }

    /// <summary>Copies the vector x_p.</summary>
    /// <param name="position">Index p of the position.</param>
    /// <param name="target">Receives the vector, length d.</param>
    public void CopyTo(int position, Span<float> target)
    {
        foreach (var tap in _taps)
        {
            var vector = tap.Map.Values.Span.Slice(new TapCursor(tap, position, Grid.Width).Next(), tap.Length);
            var part = target.Slice(tap.First, tap.Length);
            if (tap.IsAdded)
                TensorPrimitives.Add(part, vector, part);
            else
                vector.CopyTo(part);
        }
    }

    /// <summary>Gets the nearest row (or column) of the coarse axis for each one of the fine axis.</summary>
    private static int[] GetNearestIndices(int coarse, int fine) =>
        [.. Enumerable.Range(0, fine).Select(i => (int)((long)i * coarse / fine))];

    /// <summary>A map and its part of the embedding.</summary>
    /// <param name="Map">Values at the map's own resolution.</param>
    /// <param name="Length">Number of dimensions of the map.</param>
    /// <param name="First">The first of its dimensions among the d of the embedding.</param>
    /// <param name="IsAdded">Whether the map is added to the map before it.</param>
    /// <param name="Rows">The map's row for each row of the fine grid.</param>
    /// <param name="Columns">The map's column for each column of the fine grid.</param>
    private sealed record Tap(FeatureMap Map, int Length, int First, bool IsAdded, int[] Rows, int[] Columns);

    /// <summary>
    /// Steps through fine positions and finds their vectors in a map, without a division per position.
    /// </summary>
    private struct TapCursor(Tap tap, int first, int width)
    {
        private int _row = first / width,
            _column = first % width;

        /// <summary>Gets the index of the current position's vector among the map's values, and moves on.</summary>
        public int Next()
        {
            var at = (tap.Rows[_row] * tap.Map.Grid.Width + tap.Columns[_column]) * tap.Length;
            if (++_column == width)
            {
                _row++;
                _column = 0;
            }
            return at;
        }
    }
}
