using PaDiM.Core.Geometry;

namespace PaDiM.Core.Tests.Alignment;

/// <summary>
/// A part drawn from a formula, so that a moved one is exact and not resampled: a plate with two holes, a slot and a
/// notch.
/// </summary>
internal static class MovedPart
{
    /// <summary>Draws the part after a movement, on a plain background.</summary>
    public static float[] Draw(int side, RigidTransform transform)
    {
        var plane = new float[side * side];
        var inverse = transform.Inverse();
        for (var y = 0; y < side; y++)
        for (var x = 0; x < side; x++)
        {
            var (px, py) = inverse.Map(x, y, new Grid(side, side));
            plane[y * side + x] = (float)Grey((px + 0.5) / side, (py + 0.5) / side, 256.0);
        }
        return plane;
    }

    /// <summary>A ring, which no rotation about its centre changes.</summary>
    public static float[] DrawRing(int side, double shiftX, double shiftY)
    {
        var plane = new float[side * side];
        for (var y = 0; y < side; y++)
        for (var x = 0; x < side; x++)
        {
            var radius =
                Math.Sqrt(Math.Pow(x - (side - 1) / 2.0 - shiftX, 2) + Math.Pow(y - (side - 1) / 2.0 - shiftY, 2))
                / side;
            plane[y * side + x] = (float)(200 - 140 * Inside(0.06 - Math.Abs(radius - 0.28), 256));
        }
        return plane;
    }

    /// <summary>Adds noise with a standard deviation in grey values.</summary>
    public static float[] Noisy(float[] plane, double deviation, int seed)
    {
        var random = new Random(seed);
        return Array.ConvertAll(
            plane,
            value => (float)(value + deviation * Math.Sqrt(12) * (random.NextDouble() - 0.5))
        );
    }

    /// <summary>Darkens by gain and offset.</summary>
    public static float[] Lit(float[] plane, double gain, double offset) =>
        Array.ConvertAll(plane, value => (float)(gain * value + offset));

    /// <summary>Blackens the corners that a rotation of the photograph by an angle leaves without content.</summary>
    public static float[] BlackCorners(float[] plane, int side, double angle)
    {
        var blackened = plane.ToArray();
        var turned = new RigidTransform(angle, 0, 0);
        for (var y = 0; y < side; y++)
        for (var x = 0; x < side; x++)
        {
            var (px, py) = turned.Map(x, y, new Grid(side, side));
            if (Math.Min(px, py) < 0 || Math.Max(px, py) > side - 1)
                blackened[y * side + x] = 0;
        }
        return blackened;
    }

    /// <summary>Overwrites a rectangle, given as shares of the side.</summary>
    public static float[] Painted(
        float[] plane,
        int side,
        double left,
        double top,
        double width,
        double height,
        float value
    )
    {
        var painted = plane.ToArray();
        for (var y = (int)(top * side); y < (int)((top + height) * side); y++)
            painted.AsSpan(y * side + (int)(left * side), (int)(width * side)).Fill(value);
        return painted;
    }

    /// <summary>Random values on a grid, smoothly joined: a texture whose grain is the distance of the grid.</summary>
    public static float[] Texture(int side, int grain, int seed)
    {
        var random = new Random(seed);
        var nodes = side / grain + 2;
        var values = Enumerable.Range(0, nodes * nodes).Select(_ => 70 + 100 * random.NextDouble()).ToArray();
        var plane = new float[side * side];
        for (var y = 0; y < side; y++)
        for (var x = 0; x < side; x++)
        {
            var column = x / grain;
            var row = y / grain;
            var h = Ease((double)(x % grain) / grain);
            var v = Ease((double)(y % grain) / grain);
            double At(int dy, int dx) => values[(row + dy) * nodes + column + dx];
            plane[y * side + x] = (float)(
                (At(0, 0) * (1 - h) + At(0, 1) * h) * (1 - v) + (At(1, 0) * (1 - h) + At(1, 1) * h) * v
            );
        }
        return plane;

        static double Ease(double t) => t * t * (3 - 2 * t);
    }

    private static double Grey(double x, double y, double sharpness)
    {
        var plate =
            Inside(Box(x - 0.5, y - 0.5, 0.31, 0.2), sharpness) - Inside(Box(x - 0.62, y - 0.3, 0.05, 0.06), sharpness);
        var holes = Inside(Disc(x - 0.3, y - 0.42, 0.05), sharpness) + Inside(Disc(x - 0.7, y - 0.6, 0.035), sharpness);
        var slot = Inside(Box(x - 0.47, y - 0.6, 0.09, 0.02), sharpness);
        return 60 + 110 * Math.Max(0, plate) - 90 * holes - 60 * slot + 15 * x;
    }

    private static double Box(double x, double y, double halfWidth, double halfHeight) =>
        Math.Min(halfWidth - Math.Abs(x), halfHeight - Math.Abs(y));

    private static double Disc(double x, double y, double radius) => radius - Math.Sqrt(x * x + y * y);

    /// <summary>Falls from 1 inside to 0 outside, over about two pixels at 256 pixels per side.</summary>
    private static double Inside(double distance, double sharpness) => 1 / (1 + Math.Exp(-2 * sharpness * distance));
}
