namespace PaDiM.Core.Geometry;

/// <summary>
/// The position of a part in a photograph relative to the template: a rotation about the centre of the image, then a
/// shift. It maps the centre of a pixel of the template to the same point of the part in the image, so sampling an
/// image at <see cref="Map"/> of every pixel brings it into the frame of the template.
/// </summary>
/// <param name="Angle">Angle in radians; positive turns the x axis towards the y axis, clockwise on a screen.</param>
/// <param name="ShiftX">Shift to the right, in pixels.</param>
/// <param name="ShiftY">Shift down, in pixels.</param>
public readonly record struct RigidTransform(double Angle, double ShiftX, double ShiftY)
{
    /// <summary>Gets the transform of a part in the same position as in the template.</summary>
    public static RigidTransform Identity => default;

    /// <summary>
    /// Maps a point of the template to the image: <c>c + R (p - c) + shift</c> with c the centre, <c>(size - 1) / 2</c>.
    /// </summary>
    /// <param name="x">Column in pixels, 0 at the centre of the first pixel.</param>
    /// <param name="y">Row in pixels, 0 at the centre of the first pixel.</param>
    /// <param name="size">Size of template and image, in pixels.</param>
    public (double X, double Y) Map(double x, double y, Grid size)
    {
        var (sin, cos) = Math.SinCos(Angle);
        var centreX = (size.Width - 1) / 2.0;
        var centreY = (size.Height - 1) / 2.0;
        return (
            centreX + cos * (x - centreX) - sin * (y - centreY) + ShiftX,
            centreY + sin * (x - centreX) + cos * (y - centreY) + ShiftY
        );
    }

    /// <summary>Gets the transform from the image back to the template.</summary>
    public RigidTransform Inverse()
    {
        var (sin, cos) = Math.SinCos(Angle);
        return new RigidTransform(-Angle, -cos * ShiftX - sin * ShiftY, sin * ShiftX - cos * ShiftY);
    }

    /// <summary>Composes this transform with the next one: <c>Then(next).Map(p) = next.Map(Map(p))</c>.</summary>
    public RigidTransform Then(RigidTransform next)
    {
        var (sin, cos) = Math.SinCos(next.Angle);
        return new RigidTransform(
            Angle + next.Angle,
            cos * ShiftX - sin * ShiftY + next.ShiftX,
            sin * ShiftX + cos * ShiftY + next.ShiftY
        );
    }

    /// <summary>Gets the same movement for another size of the image.</summary>
    /// <param name="factor">The new sides divided by the old ones.</param>
    internal RigidTransform Scale(double factor) => new(Angle, ShiftX * factor, ShiftY * factor);
}
