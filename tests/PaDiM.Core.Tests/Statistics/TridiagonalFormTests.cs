using PaDiM.Core.Geometry;
using PaDiM.Core.Statistics;
using PaDiM.Core.Tests.Support;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Core.Tests.Statistics;

public sealed class TridiagonalFormTests
{
    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 4)]
    [InlineData(3, 2)]
    [InlineData(7, 30)]
    [InlineData(20, 6)]
    [InlineData(33, 33)]
    public void Forms_equal_those_of_the_matrix_itself(int d, int n)
    {
        const double ridge = 0.3;
        var images = RandomEmbeddings.Draw(d + n, n, new Grid(1, 1), d);
        var statistics = Fitting.Gather(images);
        var matrix = statistics.ScatterOf(0);
        var x = RandomEmbeddings.Normals(new Random(5), d);
        var shifted = new double[d, d];
        for (var i = 0; i < d; i++)
        for (var j = 0; j < d; j++)
            shifted[i, j] = matrix[i * d + j] + (i == j ? ridge : 0);
        var inverse = ReferenceGaussian.Invert(shifted);

        var packed = statistics.Scatter;
        var factors = new double[d];
        var y = x.ToArray();
        var diagonal = new double[d];
        var below = new double[d];
        TridiagonalForm.Reduce(packed, d, factors, new double[d]);
        TridiagonalForm.Rotate(packed, factors, y);
        TridiagonalForm.CopyBands(packed, diagonal, below);

        Assert.Equal(x.Sum(v => v * v), y.Sum(v => v * v), 1e-9);
        Equal(Form((i, j) => matrix[i * d + j]), TridiagonalForm.ComputeForm(diagonal, below, y));
        Equal(Form((i, j) => inverse[i, j]), TridiagonalForm.ComputeInverseForm(diagonal, below, ridge, y));

        double Form(Func<int, int, double> entry) =>
            Enumerable.Range(0, d).Sum(i => Enumerable.Range(0, d).Sum(j => x[i] * entry(i, j) * x[j]));

        static void Equal(double expected, double actual) =>
            Assert.Equal(expected, actual, 1e-9 * Math.Abs(expected) + 1e-12);
    }
}
