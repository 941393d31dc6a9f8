namespace PaDiM.Core.Evaluation;

/// <summary>
/// The area under a curve of straight lines that is walked from (0, 0) to the right, up to a limit; interpolated
/// linearly there.
/// </summary>
/// <param name="end">The limit.</param>
internal sealed class PartialArea(double end)
{
    private double _area,
        _lastX,
        _lastY;

    /// <summary>The area divided by the limit.</summary>
    public double Mean => _area / end;

    /// <summary>Goes on to the next corner, which lies no further to the left.</summary>
    public void AddCorner(double x, double y)
    {
        if (x > end)
        {
            var share = (end - _lastX) / (x - _lastX);
            x = end;
            y = _lastY + share * (y - _lastY);
        }
        _area += (x - _lastX) * (_lastY + y) / 2;
        _lastX = x;
        _lastY = y;
    }
}
