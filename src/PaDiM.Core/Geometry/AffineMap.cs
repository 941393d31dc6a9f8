namespace PaDiM.Core.Geometry;

/// <summary>
/// A map of the plane that keeps lines parallel: <c>(xx x + xy y + x0, yx x + yy y + y0)</c>. Coordinates are those of
/// edges: pixel <c>i</c> reaches from <c>i</c> to <c>i + 1</c>.
/// </summary>
/// <param name="Xx">Share of x in the new x.</param>
/// <param name="Xy">Share of y in the new x.</param>
/// <param name="X0">What is added to x.</param>
/// <param name="Yx">Share of x in the new y.</param>
/// <param name="Yy">Share of y in the new y.</param>
/// <param name="Y0">What is added to y.</param>
public readonly record struct AffineMap(double Xx, double Xy, double X0, double Yx, double Yy, double Y0)
{
    /// <summary>Creates a map that scales both axes and then moves.</summary>
    public static AffineMap Create(double scaleX, double scaleY, double shiftX, double shiftY) =>
        new(scaleX, 0, shiftX, 0, scaleY, shiftY);

    /// <summary>Creates the map of a movement, from edges to edges.</summary>
    /// <param name="movement">The movement, which maps centres of pixels.</param>
    /// <param name="size">Size of its image, in pixels.</param>
    public static AffineMap Create(RigidTransform movement, Grid size)
    {
        var (sin, cos) = Math.SinCos(movement.Angle);
        var (x, y) = movement.Map(-0.5, -0.5, size);
        return new AffineMap(cos, -sin, x + 0.5, sin, cos, y + 0.5);
    }

    /// <summary>Maps a point.</summary>
    public (double X, double Y) Map(double x, double y) => (Xx * x + Xy * y + X0, Yx * x + Yy * y + Y0);

    /// <summary>Composes this map with the next one: <c>Then(next).Map(p) = next.Map(Map(p))</c>.</summary>
    public AffineMap Then(AffineMap next) =>
        new(
            next.Xx * Xx + next.Xy * Yx,
            next.Xx * Xy + next.Xy * Yy,
            next.Xx * X0 + next.Xy * Y0 + next.X0,
            next.Yx * Xx + next.Yy * Yx,
            next.Yx * Xy + next.Yy * Yy,
            next.Yx * X0 + next.Yy * Y0 + next.Y0
        );

    /// <summary>Gets the map back.</summary>
    public AffineMap Inverse()
    {
        var determinant = Xx * Yy - Xy * Yx;
        var (xx, xy, yx, yy) = (Yy / determinant, -Xy / determinant, -Yx / determinant, Xx / determinant);
        return new AffineMap(xx, xy, -(xx * X0 + xy * Y0), yx, yy, -(yx * X0 + yy * Y0));
    }
}
