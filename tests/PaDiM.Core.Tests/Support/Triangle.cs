namespace PaDiM.Core.Tests.Support;

/// <summary>Lower triangles, packed column by column.</summary>
internal static class Triangle
{
    public static double[] Pack(double[,] matrix)
    {
        var packed = new List<double>();
        for (var j = 0; j < matrix.GetLength(1); j++)
        for (var i = j; i < matrix.GetLength(0); i++)
            packed.Add(matrix[i, j]);
        return [.. packed];
    }

    public static double[,] Unpack(double[] packed, int d)
    {
        var matrix = new double[d, d];
        var at = 0;
        for (var j = 0; j < d; j++)
        for (var i = j; i < d; i++)
            matrix[i, j] = packed[at++];
        return matrix;
    }
}
