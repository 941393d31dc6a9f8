using PaDiM.Core.Statistics;
using PaDiM.Core.Statistics.Simd;
using PaDiM.Core.Tests.Support;

namespace PaDiM.Core.Tests.Statistics;

public sealed class PanelKernelTests
{
    [Theory]
    [InlineData(8, 0, 1, false)]
    [InlineData(8, 0, 5, true)]
    [InlineData(24, 8, 7, false)]
    [InlineData(40, 16, 33, true)]
    [InlineData(104, 0, 17, true)]
    public void Every_width_of_vectors_gives_the_bits_of_the_plain_loop(int rows, int fromRow, int count, bool subtract)
    {
        var random = new Random(rows);
        var matrix = RandomEmbeddings.Normals(random, rows * count);
        var factors = RandomEmbeddings.Normals(random, 4 * count);
        var before = RandomEmbeddings.Normals(random, 4 * rows);
        var expected = before.ToArray();
        var wide = before.ToArray();
        var usual = before.ToArray();
        for (var c = 0; c < 4; c++)
        for (var i = fromRow; i < rows; i++)
        {
            var sum = 0.0;
            for (var k = 0; k < count; k++)
                sum = Math.FusedMultiplyAdd(matrix[k * rows + i], factors[k * 4 + c], sum);
            expected[c * rows + i] = subtract ? before[c * rows + i] - sum : sum;
        }
        PanelKernel.Multiply<PanelLanes512>(
            ref matrix[0],
            rows,
            fromRow,
            ref factors[0],
            4,
            1,
            count,
            -1,
            ref wide[0],
            subtract
        );
        PanelKernel.Multiply<PanelLanesNative>(
            ref matrix[0],
            rows,
            fromRow,
            ref factors[0],
            4,
            1,
            count,
            -1,
            ref usual[0],
            subtract
        );
        Assert.Equal(expected, wide);
        Assert.Equal(expected, usual);
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(9, 4)]
    [InlineData(33, 1)]
    public void A_sum_of_outer_products_is_that_of_the_plain_loop(int d, int count)
    {
        var random = new Random(d);
        var products = new OuterProducts(d, count);
        var vectors = Enumerable.Range(0, count).Select(_ => RandomEmbeddings.Normals(random, d)).ToArray();
        for (var k = 0; k < count; k++)
            vectors[k].CopyTo(products[k]);
        var before = RandomEmbeddings.Normals(random, PackedTriangle.GetLength(d));
        foreach (var sign in new[] { 1, -1 })
        {
            var scatter = before.ToArray();
            products.AddTo(scatter, sign);
            var at = 0;
            for (var j = 0; j < d; j++)
            for (var i = j; i < d; i++, at++)
                Assert.Equal(before[at] + sign * vectors.Sum(x => x[i] * x[j]), scatter[at], 1e-12);
        }
    }
}
