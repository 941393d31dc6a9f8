namespace PaDiM.TestSupport.Reference;

/// <summary>
/// The slow twin of the local average: nine weighted neighbours of each value, float64, positions beyond an edge moved
/// onto it.
/// </summary>
public static class ReferenceLocalAverage
{
    private static readonly double[] Weights = [1 / 6.0, 4 / 6.0, 1 / 6.0];

    /// <summary>Filters a map of shape (height, width, channels).</summary>
    public static double[] Apply(IReadOnlyList<double> map, int height, int width)
    {
        var channels = map.Count / (height * width);
        var result = new double[map.Count];
        for (var y = 0; y < height; y++)
        for (var x = 0; x < width; x++)
        for (var c = 0; c < channels; c++)
        for (var i = -1; i <= 1; i++)
        for (var j = -1; j <= 1; j++)
            result[(y * width + x) * channels + c] +=
                Weights[i + 1]
                * Weights[j + 1]
                * map[(Math.Clamp(y + i, 0, height - 1) * width + Math.Clamp(x + j, 0, width - 1)) * channels + c];
        return result;
    }
}
