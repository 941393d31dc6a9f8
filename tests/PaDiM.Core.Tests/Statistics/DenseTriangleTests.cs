using PaDiM.Core.Statistics;
using PaDiM.Core.Tests.Support;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Core.Tests.Statistics;

public sealed class DenseTriangleTests
{
    public static TheoryData<int> Sizes => [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 20, 24, 31, 32, 33, 40, 51, 100];

    [Theory]
    [MemberData(nameof(Sizes))]
    public void The_factor_is_that_of_the_textbook(int d)
    {
        var matrix = Covariance(d);
        var work = new DenseTriangle(d);
        work.Load(Triangle.Pack(matrix));
        work.Factorise();
        Close.OfScale(Cholesky(matrix).Flat(), Triangle.Unpack(Stored(work, d), d).Flat(), 1e-13);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void The_whitening_factor_squares_to_the_inverse(int d)
    {
        var matrix = Covariance(d);
        var packed = Triangle.Pack(matrix);
        PackedTriangle.Whiten(packed, 0, new DenseTriangle(d));
        var whitening = Triangle.Unpack(packed, d);
        var product = new double[d, d];
        for (var i = 0; i < d; i++)
        for (var j = 0; j < d; j++)
        for (var k = 0; k < d; k++)
            product[i, j] += whitening[k, i] * whitening[k, j];
        Close.OfScale(ReferenceGaussian.Invert(matrix).Flat(), product.Flat(), 1e-10);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(13)]
    public void A_buffer_used_again_gives_the_same_bits(int d)
    {
        var fresh = Triangle.Pack(Covariance(d));
        var used = Triangle.Pack(Covariance(d));
        var work = new DenseTriangle(d);
        PackedTriangle.Whiten(
            Triangle.Pack(ReferenceGaussian.Fit(RandomEmbeddings.Draw(99, d + 2, new(1, 1), d).At(0), 1).Covariance),
            0.5,
            work
        );
        PackedTriangle.Whiten(used, 0.25, work);
        PackedTriangle.Whiten(fresh, 0.25, new DenseTriangle(d));
        Assert.Equal(fresh, used);
    }

    [Fact]
    public void Scale_and_ridge_come_with_the_matrix()
    {
        var work = new DenseTriangle(2);
        work.Load([1, 2, 3], 10, 0.5);
        Assert.Equal([10.5, 20, 30.5], Stored(work, 2));
    }

    [Theory]
    [InlineData(1.0, 2.0, 1.0)]
    [InlineData(double.NaN, 0.0, 1.0)]
    [InlineData(double.PositiveInfinity, 0.0, 1.0)]
    [InlineData(1.0, double.NaN, 1.0)]
    public void A_matrix_without_a_factor_is_refused(double first, double beside, double last)
    {
        var work = new DenseTriangle(2);
        work.Load([first, beside, last]);
        Assert.Contains("of 2)", Assert.Throws<ArithmeticException>(work.Factorise).Message, StringComparison.Ordinal);
    }

    private static double[,] Covariance(int d) =>
        ReferenceGaussian.Fit(RandomEmbeddings.Draw(d, 2 * d + 2, new(1, 1), d).At(0), Fitting.Epsilon).Covariance;

    /// <summary>Slow reference, entry by entry.</summary>
    private static double[,] Cholesky(double[,] matrix)
    {
        var d = matrix.GetLength(0);
        var factor = new double[d, d];
        for (var j = 0; j < d; j++)
        for (var i = j; i < d; i++)
        {
            var sum = matrix[i, j];
            for (var k = 0; k < j; k++)
                sum -= factor[i, k] * factor[j, k];
            factor[i, j] = i == j ? Math.Sqrt(sum) : sum / factor[j, j];
        }
        return factor;
    }

    private static double[] Stored(DenseTriangle work, int d)
    {
        var packed = new double[PackedTriangle.GetLength(d)];
        work.Store(packed);
        return packed;
    }
}
