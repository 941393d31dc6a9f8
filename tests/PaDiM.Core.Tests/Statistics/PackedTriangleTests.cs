using PaDiM.Core.Statistics;
using PaDiM.Core.Tests.Support;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Core.Tests.Statistics;

public sealed class PackedTriangleTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(33)]
    public void The_product_is_that_of_the_full_triangle(int d)
    {
        var packed = Pack(Covariance(d));
        var full = Unpack(packed, d);
        var x = RandomEmbeddings.Normals(new Random(d), d);
        var y = new double[d];
        PackedTriangle.Multiply<double>(packed, x, y);
        Close.OfScale(
            [.. Enumerable.Range(0, d).Select(i => Enumerable.Range(0, d).Sum(j => full[i, j] * x[j]))],
            y,
            1e-14
        );
    }

    private static double[,] Covariance(int d) =>
        ReferenceGaussian.Fit(RandomEmbeddings.Draw(d, 2 * d + 2, new(1, 1), d).At(0), Fitting.Epsilon).Covariance;

    private static double[] Pack(double[,] matrix)
    {
        var packed = new List<double>();
        for (var j = 0; j < matrix.GetLength(1); j++)
        for (var i = j; i < matrix.GetLength(0); i++)
            packed.Add(matrix[i, j]);
        return [.. packed];
    }

    private static double[,] Unpack(double[] packed, int d)
    {
        var matrix = new double[d, d];
        var at = 0;
        for (var j = 0; j < d; j++)
        for (var i = j; i < d; i++)
            matrix[i, j] = packed[at++];
        return matrix;
    }
}
