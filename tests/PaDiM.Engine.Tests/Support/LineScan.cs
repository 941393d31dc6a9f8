using PaDiM.TestSupport.Parts;

namespace PaDiM.Engine.Tests.Support;

/// <summary>Scans of an endless web: a woven texture, 25 times as long as it is wide.</summary>
internal static class LineScan
{
    public const int Long = 2000,
        Short = 80,
        DefectSide = 4;

    /// <summary>Draws a scan.</summary>
    /// <param name="seed">Phase and noise.</param>
    /// <param name="isUpright">Whether it is taller than wide.</param>
    /// <param name="defectAt">Where along the scan a somewhat darker square lies, in its middle; null for none.</param>
    public static RgbImage Draw(int seed, bool isUpright, int? defectAt = null)
    {
        var random = new Random(seed);
        var (width, height) = isUpright ? (Short, Long) : (Long, Short);
        var phase = random.NextDouble();
        var pixels = new byte[3 * width * height];
        for (var y = 0; y < height; y++)
        for (var x = 0; x < width; x++)
        {
            var (along, across) = isUpright ? (y, x) : (x, y);
            var weave = Math.Sin(2 * Math.PI * (along / 9.0 + phase)) * Math.Sin(2 * Math.PI * (across / 11.0 + phase));
            var isDefect =
                defectAt is { } at
                && along >= at
                && along < at + DefectSide
                && across >= (Short - DefectSide) / 2
                && across < (Short + DefectSide) / 2;
            var grey = isDefect ? 110 : 150 + 20 * weave + 16 * (random.NextDouble() - 0.5);
            pixels.AsSpan(3 * (y * width + x), 3).Fill((byte)grey);
        }
        return new RgbImage(width, height, pixels);
    }
}
