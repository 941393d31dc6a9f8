using PaDiM.TestSupport.Parts;

namespace PaDiM.Service.Tests.Support;

/// <summary>
/// Photographs of a plate with a hole and a slot, 240 x 160 pixels, in any position, with noise. The hole and the slot
/// lie in <see cref="Hole"/> and <see cref="Slot"/> while the plate is not moved.
/// </summary>
internal static class Plates
{
    private const int Width = 240,
        Height = 160;

    public static object Hole { get; } = new
    {
        x = 35 / 240.0,
        y = 35 / 160.0,
        width = 60 / 240.0,
        height = 60 / 160.0,
    };

    public static object Slot { get; } = new
    {
        x = 145 / 240.0,
        y = 80 / 160.0,
        width = 60 / 240.0,
        height = 40 / 160.0,
    };

    /// <summary>Draws a plate, as BMP.</summary>
    /// <param name="seed">Decides the noise.</param>
    /// <param name="degrees">Rotation about the centre, clockwise.</param>
    /// <param name="shiftX">Pixels to the right.</param>
    /// <param name="shiftY">Pixels down.</param>
    /// <param name="defective">Whether there is a faint spot beside the hole.</param>
    public static byte[] Draw(
        int seed,
        double degrees = 0,
        double shiftX = 0,
        double shiftY = 0,
        bool defective = false
    )
    {
        var random = new Random(seed);
        var (sin, cos) = Math.SinCos(degrees * Math.PI / 180);
        var pixels = new byte[3 * Width * Height];
        for (var y = 0; y < Height; y++)
        for (var x = 0; x < Width; x++)
        {
            var tone = 0.0;
            for (var part = 0; part < 9; part++)
            {
                var (px, py) = (
                    x + (part % 3 + 0.5) / 3 - Width / 2 - shiftX,
                    y + (part / 3 + 0.5) / 3 - Height / 2 - shiftY
                );
                tone += GetTone(cos * px + sin * py, cos * py - sin * px, defective) / 9.0;
            }
            var noise = 2 * (random.NextDouble() + random.NextDouble() - 1) + tone;
            pixels.AsSpan(3 * (y * Width + x), 3).Fill((byte)Math.Clamp(noise + 0.5, 0, 255));
        }
        return new RgbImage(Width, Height, pixels).ToBmp();
    }

    /// <summary>Gets where the spot of a defective plate is.</summary>
    public static (double X, double Y) FindSpot(double degrees = 0, double shiftX = 0, double shiftY = 0)
    {
        var (sin, cos) = Math.SinCos(degrees * Math.PI / 180);
        const double u = -40,
            v = 5;
        return (cos * u - sin * v + Width / 2 + shiftX, sin * u + cos * v + Height / 2 + shiftY);
    }

    private static double GetTone(double u, double v, bool defective)
    {
        if (defective && Math.Pow(u + 40, 2) + Math.Pow(v - 5, 2) < 16)
            return 150;
        if (Math.Abs(u) > 95 || Math.Abs(v) > 60 || (u < -80 && v > 40))
            return 40;
        if (Math.Pow(u + 55, 2) + Math.Pow(v + 15, 2) < 18 * 18)
            return 60;
        return u is > 35 and < 75 && v is > 10 and < 30 ? 180 : 120;
    }
}
