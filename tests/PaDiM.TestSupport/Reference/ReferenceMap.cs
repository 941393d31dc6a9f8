namespace PaDiM.TestSupport.Reference;

/// <summary>
/// The slow twin of upsampling and smoothing: each output pixel from its formula, float64, two-dimensional sums.
/// </summary>
public static class ReferenceMap
{
    /// <summary>
    /// Bilinear, align_corners = false: source = (target + 0.5) * from / to - 0.5, clamped to the map.
    /// </summary>
    public static double[,] Upsample(double[,] map, int height, int width)
    {
        var result = new double[height, width];
        for (var y = 0; y < height; y++)
        for (var x = 0; x < width; x++)
            result[y, x] = Sample(
                map,
                (y + 0.5) * map.GetLength(0) / height - 0.5,
                (x + 0.5) * map.GetLength(1) / width - 0.5
            );
        return result;
    }

    /// <summary>
    /// A full two-dimensional Gaussian of radius floor(4 sigma + 0.5), normalised, on the mirrored plane.
    /// </summary>
    public static double[,] Smooth(double[,] map, double sigma)
    {
        var radius = (int)Math.Floor(4 * sigma + 0.5);
        var weights = new double[2 * radius + 1, 2 * radius + 1];
        var total = 0.0;
        for (var i = -radius; i <= radius; i++)
        for (var j = -radius; j <= radius; j++)
            total += weights[i + radius, j + radius] =
                radius == 0 ? 1 : Math.Exp(-(i * i + j * j) / (2 * sigma * sigma));
        var result = new double[map.GetLength(0), map.GetLength(1)];
        for (var y = 0; y < result.GetLength(0); y++)
        for (var x = 0; x < result.GetLength(1); x++)
        for (var i = -radius; i <= radius; i++)
        for (var j = -radius; j <= radius; j++)
            result[y, x] +=
                weights[i + radius, j + radius]
                / total
                * map[Mirror(y + i, result.GetLength(0)), Mirror(x + j, result.GetLength(1))];
        return result;
    }

    private static double Sample(double[,] map, double y, double x)
    {
        y = Math.Min(Math.Max(y, 0), map.GetLength(0) - 1);
        x = Math.Min(Math.Max(x, 0), map.GetLength(1) - 1);
        var top = (int)Math.Floor(y);
        var left = (int)Math.Floor(x);
        var bottom = Math.Min(top + 1, map.GetLength(0) - 1);
        var right = Math.Min(left + 1, map.GetLength(1) - 1);
        var down = y - top;
        var along = x - left;
        return map[top, left] * (1 - down) * (1 - along)
            + map[top, right] * (1 - down) * along
            + map[bottom, left] * down * (1 - along)
            + map[bottom, right] * down * along;
    }

    /// <summary>d c b | a b c d | c b a: walks back and forth until it is inside.</summary>
    private static int Mirror(int index, int length)
    {
        if (length == 1)
            return 0;
        while (index < 0 || index >= length)
            index = index < 0 ? -index : 2 * (length - 1) - index;
        return index;
    }
}
