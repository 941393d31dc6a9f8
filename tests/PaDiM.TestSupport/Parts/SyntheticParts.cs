namespace PaDiM.TestSupport.Parts;

/// <summary>
/// Photographs of a part that does not exist: a brushed metal disc with a hole on a dark table, under slightly varying
/// light, with mild noise. The seed decides everything; the same seed and size give the same bytes.
/// </summary>
public static class SyntheticParts
{
    private const double DiscRadius = 0.42;
    private const double HoleRadius = 0.12;

    /// <summary>A good part.</summary>
    /// <param name="seed">Which part.</param>
    /// <param name="size">Side of the square image, in pixels.</param>
    public static RgbImage Good(int seed, int size = 128) => Encode(Render(seed, size), size);

    /// <summary>The same part as <see cref="Good"/> of that seed, with one defect somewhere on its metal.</summary>
    /// <param name="seed">Which part.</param>
    /// <param name="kind">What is wrong with it.</param>
    /// <param name="size">Side of the square image, in pixels.</param>
    public static DefectivePart Defective(int seed, DefectKind kind, int size = 128)
    {
        var light = Render(seed, size);
        var mask = new bool[size * size];
        var random = new Random(seed * 2 + (int)kind);
        var angle = 2 * Math.PI * random.NextDouble();
        // The middle of the ring between the hole and the rim.
        var distance = (DiscRadius + HoleRadius) / 2 * size;
        var middleX = size / 2.0 + distance * Math.Cos(angle);
        var middleY = size / 2.0 + distance * Math.Sin(angle);
        var along = Math.Cos(angle + 1);
        var across = Math.Sin(angle + 1);
        for (var y = 0; y < size; y++)
        for (var x = 0; x < size; x++)
        {
            var dx = x + 0.5 - middleX;
            var dy = y + 0.5 - middleY;
            var change =
                kind == DefectKind.Scratch
                    ? Scratch(dx * along + dy * across, dy * along - dx * across, size)
                    : Dent(dx, dy, size);
            light[y * size + x] += change;
            mask[y * size + x] = change != 0;
        }
        return new DefectivePart(Encode(light, size), mask);
    }

    private static double Scratch(double along, double across, int size) =>
        Math.Abs(along) < 0.1 * size && Math.Abs(across) < Math.Max(1, 0.012 * size) ? 90 : 0;

    private static double Dent(double dx, double dy, int size)
    {
        var radius = 0.07 * size;
        var share = (dx * dx + dy * dy) / (radius * radius);
        return share < 1 ? -45 + 40 * (dx + dy) / radius * (1 - share) : 0;
    }

    /// <summary>Brightness before rounding, shape (size, size).</summary>
    private static double[] Render(int seed, int size)
    {
        var random = new Random(seed);
        var offsetX = 0.01 * size * Normal(random);
        var offsetY = 0.01 * size * Normal(random);
        var exposure = 1 + 0.02 * Normal(random);
        var light = new double[size * size];
        for (var y = 0; y < size; y++)
        {
            // Brushing runs along rows: the table and each row of metal have a tone of their own.
            var brushed = 6 * Normal(random);
            for (var x = 0; x < size; x++)
            {
                var dx = x + 0.5 - size / 2.0 - offsetX;
                var dy = y + 0.5 - size / 2.0 - offsetY;
                var radius = Math.Sqrt(dx * dx + dy * dy) / size;
                var metal = radius is > HoleRadius and < DiscRadius;
                var tone = metal ? 140 + 40 * dx / size + brushed : 35;
                light[y * size + x] = exposure * tone + 2.5 * Normal(random);
            }
        }
        return light;
    }

    /// <summary>Slightly cold light: blue is a little stronger than red.</summary>
    private static RgbImage Encode(double[] light, int size)
    {
        var pixels = new byte[3 * size * size];
        for (var i = 0; i < light.Length; i++)
        for (var channel = 0; channel < 3; channel++)
            pixels[3 * i + channel] = (byte)Math.Clamp(Math.Round(light[i] * (0.97 + 0.03 * channel)), 0, 255);
        return new RgbImage(size, size, pixels);
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
