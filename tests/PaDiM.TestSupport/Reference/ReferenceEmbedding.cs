namespace PaDiM.TestSupport.Reference;

/// <summary>
/// The slow twin of channel reduction, in the paper's order: replicate each tap onto the finest grid, concatenate all
/// channels, and only then select or project.
/// </summary>
public static class ReferenceEmbedding
{
    /// <summary>One tap: activations of shape (channels, height, width).</summary>
    public readonly record struct Tap(float[] Values, int Channels, int Height, int Width);

    /// <summary>The concatenation x_p in R^C at each position of the finest grid, shape (positions, C).</summary>
    public static double[][] Concatenate(params IReadOnlyList<Tap> taps)
    {
        var height = taps.Max(tap => tap.Height);
        var width = taps.Max(tap => tap.Width);
        var result = new double[height * width][];
        for (var y = 0; y < height; y++)
        for (var x = 0; x < width; x++)
        {
            var vector = new List<double>();
            foreach (var tap in taps)
                for (var c = 0; c < tap.Channels; c++)
                {
                    var row = (int)Math.Floor((double)y * tap.Height / height);
                    var column = (int)Math.Floor((double)x * tap.Width / width);
                    vector.Add(tap.Values[(c * tap.Height + row) * tap.Width + column]);
                }
            result[y * width + x] = [.. vector];
        }
        return result;
    }

    /// <summary>x'[k] = x[channels[k]].</summary>
    public static double[][] Select(double[][] vectors, int[] channels) =>
        [.. vectors.Select(x => channels.Select(c => x[c]).ToArray())];

    /// <summary>x' = x W, W of shape (C, d), row-major.</summary>
    public static double[][] Project(double[][] vectors, float[] weights, int d) =>
        [
            .. vectors.Select(x =>
                Enumerable.Range(0, d).Select(j => x.Select((value, c) => value * weights[c * d + j]).Sum()).ToArray()
            ),
        ];
}
