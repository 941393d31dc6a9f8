namespace PaDiM.Core.Evaluation;

/// <summary>
/// The area under a piecewise linear curve that starts at (0, 0), up to a limit, where the curve is interpolated.
/// </summary>
/// <param name="end">The limit of x.</param>
internal sealed class PartialArea(double end)
{
    private double _area,
        _lastX,
        _lastY;

    /// <summary>Gets the area divided by the limit.</summary>
    public double Mean => _area / end;

    /// <summary>Adds the next corner, whose x is not smaller than the last one.</summary>
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
