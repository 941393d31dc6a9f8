using PaDiM.Core.Statistics;
using PaDiM.Core.Tests.Support;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Core.Tests.Statistics;

public sealed class PackedTriangleTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(17)]
    [InlineData(40)]
    public void The_factor_times_its_transpose_is_the_matrix(int d)
    {
        var matrix = Covariance(d);
        var packed = Pack(matrix);
        PackedTriangle.Cholesky(packed, d);
        var factor = Unpack(packed, d);
        var product = new double[d, d];
        for (var i = 0; i < d; i++)
            for (var j = 0; j < d; j++)
                for (var k = 0; k < d; k++) product[i, j] += factor[i, k] * factor[j, k];
        Close.OfScale(matrix.Flat(), product.Flat(), 1e-13);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(17)]
    [InlineData(40)]
    public void The_whitening_factor_squares_to_the_inverse(int d)
    {
        var matrix = Covariance(d);
        var packed = Pack(matrix);
        PackedTriangle.Cholesky(packed, d);
        PackedTriangle.Invert(packed, d, new double[d]);
        var whitening = Unpack(packed, d);
        var product = new double[d, d];
        for (var i = 0; i < d; i++)
            for (var j = 0; j < d; j++)
                for (var k = 0; k < d; k++) product[i, j] += whitening[k, i] * whitening[k, j];
        Close.OfScale(ReferenceGaussian.Invert(matrix).Flat(), product.Flat(), 1e-10);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(33)]
    public void The_product_is_that_of_the_full_triangle(int d)
    {
        var packed = Pack(Covariance(d));
        var (full, x, y) = (Unpack(packed, d), RandomEmbeddings.Normals(new Random(d), d), new double[d]);
        PackedTriangle.Multiply<double>(packed, x, y);
        Close.OfScale([.. Enumerable.Range(0, d).Select(i => Enumerable.Range(0, d).Sum(j => full[i, j] * x[j]))], y, 1e-14);
    }

    [Fact]
    public void A_matrix_without_a_factor_is_refused()
    {
        Assert.Throws<ArithmeticException>(() => PackedTriangle.Cholesky([1, 2, 1], 2));
        Assert.Throws<ArithmeticException>(() => PackedTriangle.Cholesky([double.NaN], 1));
        Assert.Throws<ArithmeticException>(() => PackedTriangle.Cholesky([double.PositiveInfinity], 1));
    }

    private static double[,] Covariance(int d) =>
        ReferenceGaussian.Fit(RandomEmbeddings.Draw(d, 2 * d + 2, new(1, 1), d).At(0), Fitting.Epsilon).Covariance;

    private static double[] Pack(double[,] matrix)
    {
        var packed = new List<double>();
        for (var j = 0; j < matrix.GetLength(1); j++)
            for (var i = j; i < matrix.GetLength(0); i++) packed.Add(matrix[i, j]);
        return [.. packed];
    }

    private static double[,] Unpack(double[] packed, int d)
    {
        var matrix = new double[d, d];
        var at = 0;
        for (var j = 0; j < d; j++)
            for (var i = j; i < d; i++) matrix[i, j] = packed[at++];
        return matrix;
    }
}
