namespace PaDiM.Core.Evaluation;

/// <summary>The area under a curve of straight lines that is walked from (0, 0) to the right, up to a limit; interpolated linearly there.</summary>
/// <param name="end">The limit.</param>
internal sealed class ProArea(double end)
{
    private double area, lastX, lastY;

    /// <summary>The area divided by the limit.</summary>
    public double Mean => area / end;

    /// <summary>Goes on to the next corner, which lies no further to the left.</summary>
    public void Extend(double x, double y)
    {
        if (x > end)
        {
            var share = (end - lastX) / (x - lastX);
            (x, y) = (end, lastY + share * (y - lastY));
        }
        area += (x - lastX) * (lastY + y) / 2;
        (lastX, lastY) = (x, y);
    }
}
