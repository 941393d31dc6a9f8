using PaDiM.Core.Geometry;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Engine.Tests.Support;

/// <summary>
/// Photographs of a plate with two unequal holes and a notch, put down differently each time. Drawn from a formula: a
/// moved one is not resampled.
/// </summary>
internal static class MovedPlates
{
    public const int Side = 96;

    /// <summary>How the plate of a seed lies: up to 6 % of the side off and up to 8 degrees turned.</summary>
    public static RigidTransform PlacementOf(int seed)
    {
        var random = new Random(seed);
        double Between(double limit) => limit * (2 * random.NextDouble() - 1);
        return new RigidTransform(Between(8 * Math.PI / 180), Between(0.06 * Side), Between(0.06 * Side));
    }

    /// <summary>A good plate.</summary>
    public static RgbImage Good(int seed) => Draw(seed, null);

    /// <summary>A plate with a bright blot, and where its middle is in the photograph.</summary>
    public static (RgbImage Image, double X, double Y) Blotted(int seed)
    {
        var random = new Random(seed + 1000);
        // In the metal below the holes and above the lower edge.
        var u = 0.32 + 0.36 * random.NextDouble();
        var v = 0.58 + 0.04 * random.NextDouble();
        var (x, y) = PlacementOf(seed).Map(u * Side - 0.5, v * Side - 0.5, new Grid(Side, Side));
        return (Draw(seed, (u, v)), x, y);
    }

    private static RgbImage Draw(int seed, (double U, double V)? blot)
    {
        var random = new Random(seed + 500);
        var pixels = new byte[3 * Side * Side];
        var inverse = PlacementOf(seed).Inverse();
        for (var y = 0; y < Side; y++)
        for (var x = 0; x < Side; x++)
        {
            var (px, py) = inverse.Map(x, y, new Grid(Side, Side));
            var u = (px + 0.5) / Side;
            var v = (py + 0.5) / Side;
            var grey = Grey(u, v) + 6 * (random.NextDouble() - 0.5);
            if (blot is { } spot)
                grey += 80 * Inside(0.035 - Distance(u, v, spot.U, spot.V));
            pixels.AsSpan(3 * (y * Side + x), 3).Fill((byte)Math.Clamp(Math.Round(grey), 0, 255));
        }
        return new RgbImage(Side, Side, pixels);
    }

    private static double Grey(double u, double v) =>
        40
        + 110
            * Math.Max(
                0,
                Inside(Math.Min(0.32 - Math.Abs(u - 0.5), 0.21 - Math.Abs(v - 0.5)))
                    - Inside(Math.Min(0.06 - Math.Abs(u - 0.64), 0.07 - Math.Abs(v - 0.3)))
            )
        - 80 * Inside(0.06 - Distance(u, v, 0.3, 0.42))
        - 80 * Inside(0.035 - Distance(u, v, 0.72, 0.47));

    private static double Distance(double u, double v, double toU, double toV) =>
        Math.Sqrt((u - toU) * (u - toU) + (v - toV) * (v - toV));

    /// <summary>1 inside, 0 outside, over about a pixel.</summary>
    private static double Inside(double distance) => 1 / (1 + Math.Exp(-4 * Side * distance));
}
