using PaDiM.Core.Geometry;

namespace PaDiM.Core.Alignment;

/// <summary>The rows of a template in an image that was moved: what <see cref="RigidTransform.Map"/> gives for each.</summary>
internal readonly struct SampledRows
{
    private readonly RigidTransform _transform;
    private readonly double _sin,
        _cos,
        _centreX,
        _centreY;

    /// <summary>Creates the rows.</summary>
    /// <param name="transform">The transform from the template to the image.</param>
    /// <param name="size">Rows and columns of both.</param>
    public SampledRows(RigidTransform transform, Grid size)
    {
        _transform = transform;
        (_sin, _cos) = Math.SinCos(transform.Angle);
        _centreX = (size.Width - 1) / 2.0;
        _centreY = (size.Height - 1) / 2.0;
    }

    /// <summary>Gets the points of a row.</summary>
    public SampledRow this[int y] =>
        new(
            _centreX + _cos * (0 - _centreX) - _sin * (y - _centreY) + _transform.ShiftX,
            _centreY + _sin * (0 - _centreX) + _cos * (y - _centreY) + _transform.ShiftY,
            _cos,
            _sin
        );
}
