using PaDiM.Core.Scoring;

namespace PaDiM.Core.InputChecks;

/// <summary>Measures how far an image is from the training images over most of its area.</summary>
public static class MedianDistance
{
    /// <summary>Samples per side. The map is smooth, so a thousand of its values have nearly its median.</summary>
    private const int Samples = 32;

    /// <summary>
    /// Computes the median of a map where it is above 0: ignored pixels, and those that an alignment moves in, are 0.
    /// </summary>
    public static double Compute(AnomalyMap map)
    {
        var stepX = Math.Max(1, map.Grid.Width / Samples);
        var stepY = Math.Max(1, map.Grid.Height / Samples);
        var values = new List<float>(4 * Samples * Samples);
        for (var y = stepY / 2; y < map.Grid.Height; y += stepY)
        for (var x = stepX / 2; x < map.Grid.Width; x += stepX)
            if (map.Values[y * map.Grid.Width + x] is > 0 and var value)
                values.Add(value);
        values.Sort();
        return values.Count == 0 ? 0 : values[values.Count / 2];
    }
}
