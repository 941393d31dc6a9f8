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
        // 35 vectors: four registers of eight lanes at once, then one register that is not full.
        const int count = 35;
        var images = RandomEmbeddings.Draw(d + n, n, new Grid(1, 1), d);
        var statistics = Fitting.Gather(images);
        var matrix = statistics.ScatterOf(0);
        var random = new Random(5);
        var vectors = Enumerable.Range(0, count).Select(_ => RandomEmbeddings.Normals(random, d)).ToArray();
        var ridges = Enumerable.Range(0, 40).Select(k => 0.3 + 0.1 * k).ToArray();

        var packed = statistics.Scatter;
        var factors = new double[d];
        var rotated = new double[d * ridges.Length];
        var diagonal = new double[d];
        var below = new double[d];
        var forms = new double[ridges.Length];
        var inverseForms = new double[ridges.Length];
        for (var k = 0; k < count; k++)
        for (var j = 0; j < d; j++)
            rotated[j * ridges.Length + k] = vectors[k][j];
        var reduction = new TridiagonalReduction(d);
        // A matrix before leaves nothing behind.
        reduction.Reduce([.. packed.Select(value => value + 1)], factors);
        reduction.Reduce(packed, factors);
        TridiagonalForm.Rotate(packed, factors, rotated);
        TridiagonalForm.CopyBands(packed, diagonal, below);
        TridiagonalForm.ComputeForms(diagonal, below, rotated, forms);
        TridiagonalForm.ComputeInverseForms(diagonal, below, ridges, rotated, inverseForms);

        for (var k = 0; k < count; k++)
        {
            var x = vectors[k];
            var shifted = new double[d, d];
            for (var i = 0; i < d; i++)
            for (var j = 0; j < d; j++)
                shifted[i, j] = matrix[i * d + j] + (i == j ? ridges[k] : 0);
            var inverse = ReferenceGaussian.Invert(shifted);
            Assert.Equal(
                x.Sum(v => v * v),
                Enumerable.Range(0, d).Sum(j => Math.Pow(rotated[j * ridges.Length + k], 2)),
                1e-9
            );
            Equal(Form((i, j) => matrix[i * d + j]), forms[k]);
            Equal(Form((i, j) => inverse[i, j]), inverseForms[k]);

            double Form(Func<int, int, double> entry) =>
                Enumerable.Range(0, d).Sum(i => Enumerable.Range(0, d).Sum(j => x[i] * entry(i, j) * x[j]));
        }

        static void Equal(double expected, double actual) =>
            Assert.Equal(expected, actual, 1e-9 * Math.Abs(expected) + 1e-12);
    }
}
