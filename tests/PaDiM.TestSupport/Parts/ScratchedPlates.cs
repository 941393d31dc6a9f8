namespace PaDiM.TestSupport.Parts;

/// <summary>
/// Photographs of a large brushed plate that fills the picture, with soft blotches in different places, under slightly
/// varying light and with mild noise; and the same plates with a short scratch. The seed decides everything.
/// </summary>
public static class ScratchedPlates
{
    private const int ScratchWidth = 2;
    private const int ScratchBrightness = 90;
    private const int BlotchSize = 32;
    private const int BlotchBrightness = 20;

    /// <summary>A good plate.</summary>
    /// <param name="seed">Which plate.</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    public static RgbImage Good(int seed, int width, int height) => Draw(seed, width, height, []);

    /// <summary>The same plate as <see cref="Good"/> of that seed, with one scratch.</summary>
    /// <param name="seed">Which plate.</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    /// <param name="length">Length of the scratch, in pixels.</param>
    /// <param name="x">Its first column.</param>
    /// <param name="y">Its first row.</param>
    public static RgbImage Scratched(int seed, int width, int height, int length, int x, int y) =>
        Draw(seed, width, height, [(x, y, length)]);

    private static RgbImage Draw(int seed, int width, int height, (int X, int Y, int Length)[] scratches)
    {
        var random = new Random(seed);
        var light = 120 + 10 * random.NextDouble();
        var slope = 20 * random.NextDouble() - 10;
        // Brushed: each row has a brightness of its own.
        var rows = Enumerable.Range(0, height).Select(_ => 6 * (random.NextDouble() - 0.5)).ToArray();
        var blotchesAcross = width / BlotchSize + 2;
        var blotches = Enumerable
            .Range(0, blotchesAcross * (height / BlotchSize + 2))
            .Select(_ => BlotchBrightness * (random.NextDouble() - 0.5))
            .ToArray();
        var pixels = new byte[3 * width * height];
        for (var y = 0; y < height; y++)
        for (var x = 0; x < width; x++)
        {
            var value = light + slope * x / width + rows[y] + Blotch(x, y) + 8 * (random.NextDouble() - 0.5);
            foreach (var scratch in scratches)
                if (
                    x >= scratch.X
                    && x < scratch.X + scratch.Length
                    && Math.Abs(y - scratch.Y - (x - scratch.X) / 2) < ScratchWidth
                )
                    value += ScratchBrightness;
            pixels.AsSpan(3 * (y * width + x), 3).Fill((byte)Math.Clamp(value, 0, 255));
        }
        return new RgbImage(width, height, pixels);

        double Blotch(int x, int y)
        {
            var (column, across) = Math.DivRem(x, BlotchSize);
            var (row, down) = Math.DivRem(y, BlotchSize);
            var right = (double)across / BlotchSize;
            var below = (double)down / BlotchSize;
            return (1 - below) * ((1 - right) * At(row, column) + right * At(row, column + 1))
                + below * ((1 - right) * At(row + 1, column) + right * At(row + 1, column + 1));
        }

        double At(int row, int column) => blotches[row * blotchesAcross + column];
    }
}
