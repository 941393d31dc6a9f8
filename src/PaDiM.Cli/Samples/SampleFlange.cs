using PaDiM.Imaging;

namespace PaDiM.Cli.Samples;

/// <summary>Lists the defects of sample parts.</summary>
internal enum SampleDefect
{
    None,
    Scratch,
    Dent,
    Stain,
}

/// <summary>
/// Renders synthetic photographs for trying the program without a camera: a turned steel flange with six bolt holes on
/// a dark belt, under slightly varying light. The seed decides everything.
/// </summary>
/// <param name="seed">The seed of the part.</param>
/// <param name="defect">Its defect.</param>
/// <param name="size">The side of the square image, in pixels.</param>
internal sealed class SampleFlange(int seed, SampleDefect defect, int size)
{
    private const double Rim = 0.43,
        Bore = 0.13,
        BoltCircle = 0.31,
        BoltHole = 0.037,
        Chamfer = 0.012;
    private const double Belt = 34,
        Steel = 150,
        Hole = 22;
    private readonly Random _random = new(unchecked(seed * 31 + 7919));
    private readonly Random _defectRandom = new(unchecked(seed * 31 + (int)defect * 104729));

    /// <summary>Renders the photograph and the mask of the defect (white).</summary>
    public (RgbImage Image, RgbImage Mask) Render()
    {
        var centreX = 0.5 + 0.004 * NextNormal();
        var centreY = 0.5 + 0.004 * NextNormal();
        var exposure = 1 + 0.02 * NextNormal();
        var light = 0.6 + 0.05 * NextNormal();
        var grooves = Enumerable.Range(0, 2 * size).Select(_ => NextNormal()).ToArray();
        var flaw = CreateDefect();
        var image = new byte[3 * size * size];
        var mask = new byte[3 * size * size];
        for (var y = 0; y < size; y++)
        for (var x = 0; x < size; x++)
        {
            var u = (x + 0.5) / size - centreX;
            var v = (y + 0.5) / size - centreY;
            var (tone, metal) = GetSurface(u, v, light, grooves);
            var (share, target) = metal ? flaw(u, v) : (0, 0);
            tone = exposure * (tone + share * (target - tone)) + 2.2 * NextNormal();
            var at = 3 * (y * size + x);
            for (var c = 0; c < 3; c++)
            {
                image[at + c] = (byte)Math.Clamp(tone * (0.96 + 0.03 * c), 0, 255);
                mask[at + c] = (byte)(share > 0.2 ? 255 : 0);
            }
        }
        return (new RgbImage(size, size, image), new RgbImage(size, size, mask));
    }

    /// <summary>Gets the brightness without noise, and whether the place is on the part's face.</summary>
    private (double Tone, bool Metal) GetSurface(double u, double v, double light, double[] grooves)
    {
        var radius = Math.Sqrt(u * u + v * v);
        var angle = Math.Atan2(v, u);
        if (radius > Rim)
            return (Belt + 3 * Math.Sin(90 * u), false);
        if (radius < Bore)
            return (Hole, false);
        var bolt = Math.Round(angle / (Math.PI / 3)) * (Math.PI / 3);
        var toBolt = Math.Sqrt(
            Math.Pow(u - BoltCircle * Math.Cos(bolt), 2) + Math.Pow(v - BoltCircle * Math.Sin(bolt), 2)
        );
        if (toBolt < BoltHole)
            return (Hole, false);
        // Turned metal reflects light in two opposite fans; the grooves are circles.
        var fan = Math.Pow(Math.Cos(angle - light), 6);
        var tone = Steel + 55 * fan + 5 * grooves[(int)(radius * 2 * size)];
        var edge = Math.Min(Math.Min(Rim - radius, radius - Bore), toBolt - BoltHole);
        return (edge < Chamfer ? tone * (0.75 + 0.25 * edge / Chamfer) : tone, true);
    }

    /// <summary>
    /// Creates a function that gets, for a place on the face, the coverage by the defect and the defect's brightness.
    /// </summary>
    private Func<double, double, (double Share, double Tone)> CreateDefect()
    {
        if (defect == SampleDefect.None)
            return (_, _) => (0, 0);
        var angle = 2 * Math.PI * _defectRandom.NextDouble();
        var radius = 0.19 + 0.06 * _defectRandom.NextDouble();
        var turn = Math.PI * _defectRandom.NextDouble();
        var x = radius * Math.Cos(angle);
        var y = radius * Math.Sin(angle);
        return (u, v) =>
        {
            var along = (u - x) * Math.Cos(turn) + (v - y) * Math.Sin(turn);
            var across = (v - y) * Math.Cos(turn) - (u - x) * Math.Sin(turn);
            return defect switch
            {
                SampleDefect.Scratch => (
                    Math.Abs(along) < 0.075 && Math.Abs(across - 2 * along * along) < 0.0045 ? 0.9 : 0,
                    245
                ),
                SampleDefect.Dent => (FallOff(0.034, Math.Sqrt(along * along + across * across)), 95 + 2600 * across),
                _ => (0.55 * FallOff(0.05, Math.Sqrt(along * along + 2 * across * across)), 60),
            };
        };
    }

    private static double FallOff(double radius, double distance) => Math.Clamp(3 * (1 - distance / radius), 0, 1);

    private double NextNormal() =>
        Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
}
