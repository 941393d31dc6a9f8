using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Embedding;

/// <summary>
/// The reduced taps of one image, the coarser ones replicated (nearest) onto the finest grid. Together they are its
/// embedding, x_p in R^d at each position: the sum of maps of d dimensions each (a projection), or maps of d dimensions
/// in all side by side (chosen channels). Scoring reads it by runs of positions and never holds all of it. Thread-safe;
/// valid while the maps are.
/// </summary>
public sealed class ReducedTaps
{
    private readonly Tap[] _taps;

    /// <summary>Takes maps together.</summary>
    /// <param name="maps">At least one; of d dimensions each, or of d dimensions in all.</param>
    /// <param name="dimensions">d.</param>
    /// <exception cref="ArgumentException">A map that does not hold as many values as its shape, or maps of other
    /// dimensions than these.</exception>
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
            throw new ArgumentException(
                $"The maps hold other values than {dimensions} dimensions each, or in all.",
                nameof(maps)
            );
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

    /// <summary>Positions of the finest tap.</summary>
    public Grid Grid { get; }

    /// <summary>d.</summary>
    public int Dimensions { get; }

    /// <summary>x_p - mean_p of positions in a row.</summary>
    /// <param name="first">The first position.</param>
    /// <param name="means">Shape <c>(positions, d)</c>.</param>
    /// <param name="target">Takes the differences.</param>
    /// <param name="stride">From one difference to the next.</param>
    public void Subtract(int first, ReadOnlySpan<float> means, Span<float> target, int stride)
    {
        var d = Dimensions;
        foreach (var tap in _taps)
        {
            var values = tap.Map.Values.Span;
            var place = new TapCursor(tap, first, Grid.Width);
            for (var (at, to) = (tap.First, tap.First); at < means.Length; (at, to) = (at + d, to + stride))
            {
                var vector = values.Slice(place.Next(), tap.Length);
                var difference = target.Slice(to, tap.Length);
                if (tap.IsAdded)
                    TensorPrimitives.Add(difference, vector, difference);
                else
                    TensorPrimitives.Subtract(vector, means.Slice(at, tap.Length), difference);
            }
        }
    }

    /// <summary>x_p.</summary>
    /// <param name="position">p.</param>
    /// <param name="target">Takes the vector, length d.</param>
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

    /// <summary>For each row (or column) of the fine axis, the nearest one of the coarse axis.</summary>
    private static int[] GetNearestIndices(int coarse, int fine) =>
        [.. Enumerable.Range(0, fine).Select(i => (int)((long)i * coarse / fine))];

    /// <summary>One map and its part of the embedding.</summary>
    /// <param name="Map">The map.</param>
    /// <param name="Length">Its dimensions.</param>
    /// <param name="First">Where they lie among the d.</param>
    /// <param name="IsAdded">To what another map has put there.</param>
    /// <param name="Rows">Its row for each of the fine grid.</param>
    /// <param name="Columns">Its column for each of the fine grid.</param>
    private sealed record Tap(FeatureMap Map, int Length, int First, bool IsAdded, int[] Rows, int[] Columns);

    /// <summary>Walks over fine positions and tells where their vectors lie in a map.</summary>
    private struct TapCursor(Tap tap, int first, int width)
    {
        private int _row = first / width,
            _column = first % width;

        public int Next()
        {
            var at = (tap.Rows[_row] * tap.Map.Grid.Width + tap.Columns[_column]) * tap.Length;
            if (++_column == width)
            {
                _row = _row + 1;
                _column = 0;
            }
            return at;
        }
    }
}
