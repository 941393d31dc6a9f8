namespace PaDiM.Core.Geometry;

/// <summary>
/// How a part lies in a photograph compared with the template: a rotation about the centre of the square, then a shift.
/// It maps the centre of a pixel of the template to the place of the same point of the part in the image, so that an
/// image is brought into the template's frame by sampling it at <see cref="Map"/> of every pixel.
/// </summary>
/// <param name="Angle">Radians; positive turns the x axis towards the y axis, which is clockwise on a screen.</param>
/// <param name="ShiftX">Pixels to the right.</param>
/// <param name="ShiftY">Pixels down.</param>
public readonly record struct RigidTransform(double Angle, double ShiftX, double ShiftY)
{
    /// <summary>The part lies as in the template.</summary>
    public static RigidTransform Identity => default;

    /// <summary>
    /// The place in the image, in pixels, of a point of the template: <c>c + R (p - c) + shift</c> with <c>c = (side -
    /// 1) / 2</c>.
    /// </summary>
    /// <param name="x">Column, 0 at the centre of the first pixel.</param>
    /// <param name="y">Row, 0 at the centre of the first pixel.</param>
    /// <param name="side">Side of the square, in pixels.</param>
    public (double X, double Y) Map(double x, double y, int side)
    {
        var (sin, cos) = Math.SinCos(Angle);
        var centre = (side - 1) / 2.0;
        return (
            centre + cos * (x - centre) - sin * (y - centre) + ShiftX,
            centre + sin * (x - centre) + cos * (y - centre) + ShiftY
        );
    }

    /// <summary>From places in the image back to the template.</summary>
    public RigidTransform Inverse()
    {
        var (sin, cos) = Math.SinCos(Angle);
        return new RigidTransform(-Angle, -cos * ShiftX - sin * ShiftY, sin * ShiftX - cos * ShiftY);
    }

    /// <summary>This transform, then another: <c>Then(next).Map(p) = next.Map(Map(p))</c>.</summary>
    public RigidTransform Then(RigidTransform next)
    {
        var (sin, cos) = Math.SinCos(next.Angle);
        return new RigidTransform(
            Angle + next.Angle,
            cos * ShiftX - sin * ShiftY + next.ShiftX,
            sin * ShiftX + cos * ShiftY + next.ShiftY
        );
    }

    /// <summary>The same movement where the square is seen at another size.</summary>
    /// <param name="factor">The new side over the old.</param>
    internal RigidTransform Scale(double factor) => new(Angle, ShiftX * factor, ShiftY * factor);
}
