namespace PaDiM.Core.Scoring;

/// <summary>
/// Leaves out corners of a simple polygon, the least important first, and keeps it simple: a corner goes only if the
/// triangle that it forms with its neighbours holds no other corner. By the two-ears theorem (Meisters, 1975) there is
/// always one more to leave out, so any number of corners can be reached.
/// </summary>
internal sealed class ContourSimplifier
{
    /// <summary>Coordinates per cell of the grid in which corners are found again.</summary>
    private const int Cell = 16;

    private readonly List<(int X, int Y)> _corners;
    private readonly int[] _previous;
    private readonly int[] _next;
    private readonly bool[] _isGone;
    private readonly List<int>[] _cells;
    private readonly int _left;
    private readonly int _top;
    private readonly int _columns;

    private ContourSimplifier(List<(int X, int Y)> corners)
    {
        _corners = corners;
        var count = corners.Count;
        _previous = [.. Enumerable.Range(0, count).Select(i => (i + count - 1) % count)];
        _next = [.. Enumerable.Range(0, count).Select(i => (i + 1) % count)];
        _isGone = new bool[count];
        _left = corners.Min(corner => corner.X);
        _top = corners.Min(corner => corner.Y);
        _columns = (corners.Max(corner => corner.X) - _left) / Cell + 1;
        var rows = (corners.Max(corner => corner.Y) - _top) / Cell + 1;
        _cells = [.. Enumerable.Range(0, _columns * rows).Select(_ => new List<int>())];
        for (var i = 0; i < count; i++)
            _cells[FindCell(corners[i])].Add(i);
    }

    /// <summary>Simplifies a polygon.</summary>
    /// <param name="corners">The corners of a simple polygon.</param>
    /// <param name="tolerance">How far a corner that is left out may lie from the result.</param>
    /// <param name="maxCorners">The most corners of the result, at least 3; it wins over the tolerance.</param>
    public static List<(int X, int Y)> Simplify(List<(int X, int Y)> corners, double tolerance, int maxCorners) =>
        corners.Count <= 3 ? corners : new ContourSimplifier(corners).Run(tolerance, maxCorners);

    private List<(int X, int Y)> Run(double tolerance, int maxCorners)
    {
        var left = _corners.Count;
        // A second pass is for corners that were blocked by others at first.
        do
        {
            var queue = new PriorityQueue<int, double>(
                Enumerable.Range(0, _corners.Count).Where(i => !_isGone[i]).Select(i => (i, ComputeError(i)))
            );
            while (left > 3 && queue.TryDequeue(out var corner, out var error))
            {
                // A neighbour has gone since; the corner is queued again with its new error.
                if (_isGone[corner] || error != ComputeError(corner))
                    continue;
                if (error > tolerance && left <= maxCorners)
                    break;
                if (!IsFree(corner))
                    continue;
                Remove(corner);
                left--;
                queue.Enqueue(_previous[corner], ComputeError(_previous[corner]));
                queue.Enqueue(_next[corner], ComputeError(_next[corner]));
            }
        } while (left > maxCorners);
        return [.. _corners.Where((_, i) => !_isGone[i])];
    }

    private void Remove(int corner)
    {
        _isGone[corner] = true;
        _next[_previous[corner]] = _next[corner];
        _previous[_next[corner]] = _previous[corner];
        _cells[FindCell(_corners[corner])].Remove(corner);
    }

    /// <summary>Computes how far the original corners would lie from the line that replaces this one.</summary>
    private double ComputeError(int corner)
    {
        var (from, to) = (_corners[_previous[corner]], _corners[_next[corner]]);
        var largest = 0.0;
        for (var i = _previous[corner]; i != _next[corner]; i = (i + 1) % _corners.Count)
            largest = Math.Max(largest, ComputeSquaredDistance(_corners[i], from, to));
        return Math.Sqrt(largest);
    }

    private static double ComputeSquaredDistance((int X, int Y) point, (int X, int Y) from, (int X, int Y) to)
    {
        double alongX = to.X - from.X,
            alongY = to.Y - from.Y,
            x = point.X - from.X,
            y = point.Y - from.Y;
        var share = Math.Clamp((x * alongX + y * alongY) / (alongX * alongX + alongY * alongY), 0, 1);
        x -= share * alongX;
        y -= share * alongY;
        return x * x + y * y;
    }

    /// <summary>Gets whether the triangle of a corner and its neighbours holds no other corner, its sides
    /// included.</summary>
    private bool IsFree(int corner)
    {
        var (before, after) = (_previous[corner], _next[corner]);
        var (a, b, c) = (_corners[before], _corners[corner], _corners[after]);
        var (firstColumn, lastColumn) = (
            (Math.Min(a.X, Math.Min(b.X, c.X)) - _left) / Cell,
            (Math.Max(a.X, Math.Max(b.X, c.X)) - _left) / Cell
        );
        var (firstRow, lastRow) = (
            (Math.Min(a.Y, Math.Min(b.Y, c.Y)) - _top) / Cell,
            (Math.Max(a.Y, Math.Max(b.Y, c.Y)) - _top) / Cell
        );
        for (var row = firstRow; row <= lastRow; row++)
        for (var column = firstColumn; column <= lastColumn; column++)
            foreach (var other in _cells[row * _columns + column])
                if (other != before && other != corner && other != after && IsWithin(_corners[other], a, b, c))
                    return false;
        return true;
    }

    private static bool IsWithin((int X, int Y) point, (int X, int Y) a, (int X, int Y) b, (int X, int Y) c)
    {
        var (ab, bc, ca) = (Turn(a, b, point), Turn(b, c, point), Turn(c, a, point));
        return (ab >= 0 && bc >= 0 && ca >= 0) || (ab <= 0 && bc <= 0 && ca <= 0);
    }

    private static long Turn((int X, int Y) a, (int X, int Y) b, (int X, int Y) point) =>
        (long)(b.X - a.X) * (point.Y - a.Y) - (long)(b.Y - a.Y) * (point.X - a.X);

    private int FindCell((int X, int Y) corner) => (corner.Y - _top) / Cell * _columns + (corner.X - _left) / Cell;
}
