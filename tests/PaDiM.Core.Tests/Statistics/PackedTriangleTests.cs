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
        var packed = Triangle.Pack(Covariance(d));
        var full = Triangle.Unpack(packed, d);
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
}
