using System.Runtime.InteropServices;
using PaDiM.Core.Statistics;
using PaDiM.Core.Statistics.Simd;
using PaDiM.Core.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Core.Tests.Statistics;

public sealed class TriangleBlocksTests
{
    public static TheoryData<int> Dimensions => [1, 2, 3, 15, 16, 17, 31, 32, 33, 47, 64, 99, 100, 101, 130];

    /// <summary>
    /// Compares each vector width with plain loops over the restored triangle, for one to nine vectors: groups of four
    /// and a remainder.
    /// </summary>
    [Theory]
    [MemberData(nameof(Dimensions))]
    public void Norms_equal_the_plain_product_for_each_width_of_vectors(int d)
    {
        var random = new Random(d);
        var (blocks, scales) = Quantised(Triangle(random, d), d);
        var triangle = new float[PackedTriangle.GetLength(d)];
        TriangleBlocks.Restore(blocks.AsSpan(0, triangle.Length), scales.AsSpan(0, d), triangle);
        for (var count = 1; count <= 9; count++)
        {
            var vectors = RandomEmbeddings.Normals(random, count * d).Select(v => (float)v).ToArray();
            var expected = Enumerable.Range(0, count).Select(i => Norm(triangle, vectors.AsSpan(i * d, d))).ToArray();
            Close.Relative(expected, Norms<Lanes512>(blocks, scales, vectors, count), 2e-6);
            Close.Relative(expected, Norms<Lanes256>(blocks, scales, vectors, count), 2e-6);
            Close.Relative(expected, Norms<Lanes128>(blocks, scales, vectors, count), 2e-6);
            var chosen = new float[count];
            TriangleBlocks.ComputeNorms(in blocks[0], in scales[0], d, vectors, chosen);
            Close.Relative(expected, chosen, 2e-6);
        }
    }

    /// <summary>
    /// The error is at most a step of its own row: the size of one row does not affect another.
    /// </summary>
    [Theory]
    [MemberData(nameof(Dimensions))]
    public void Every_value_is_kept_within_half_a_step_of_its_row(int d)
    {
        var triangle = Triangle(new Random(d), d);
        var (blocks, scales) = Quantised(triangle, d);
        var restored = new float[triangle.Length];
        TriangleBlocks.Restore(blocks.AsSpan(0, triangle.Length), scales.AsSpan(0, d), restored);
        for (int j = 0, at = 0; j < d; at += d - j++)
        for (var i = j; i < d; i++)
        {
            var largest = Enumerable.Range(0, i + 1).Max(k => Math.Abs(triangle[ColumnStart(d, k) + i - k]));
            Assert.True(
                Math.Abs(triangle[at + i - j] - restored[at + i - j]) <= 0.51 * 1.01 * largest / short.MaxValue
            );
        }
    }

    /// <summary>Values after a triangle are read, but must not affect the result.</summary>
    [Theory]
    [MemberData(nameof(Dimensions))]
    public void What_lies_behind_the_triangle_does_not_count(int d)
    {
        var (blocks, scales) = Quantised(Triangle(new Random(d), d), d);
        var vectors = RandomEmbeddings.Normals(new Random(1), 5 * d).Select(v => (float)v).ToArray();
        var expected = Norms<Lanes512>(blocks, scales, vectors, 5);
        blocks.AsSpan(PackedTriangle.GetLength(d)).Fill(short.MaxValue);
        Assert.Equal(expected, Norms<Lanes512>(blocks, scales, vectors, 5));
        Assert.Equal(Norms<Lanes256>(blocks, scales, vectors, 5), Norms<Lanes256>(blocks, scales, vectors, 5));
    }

    [Fact]
    public void Norms_allocate_nothing()
    {
        const int d = 100;
        var (blocks, scales) = Quantised(Triangle(new Random(1), d), d);
        var vectors = new float[8 * d];
        var norms = new float[8];
        var bytes = Allocations.Count(() =>
        {
            for (var i = 0; i < 1000; i++)
                TriangleBlocks.ComputeNorms(in blocks[0], in scales[0], d, vectors, norms);
        });
        Assert.Equal(0, bytes);
    }

    private static float[] Norms<TLanes>(short[] blocks, ushort[] scales, float[] vectors, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        var norms = new float[count];
        TriangleBlocks.ComputeNorms<TLanes>(
            in MemoryMarshal.GetArrayDataReference(blocks),
            in MemoryMarshal.GetArrayDataReference(scales),
            vectors.Length / count,
            vectors,
            norms
        );
        return norms;
    }

    private static (short[] Blocks, ushort[] Scales) Quantised(double[] triangle, int d)
    {
        var blocks = new short[triangle.Length + TriangleBlocks.ReadAhead];
        var scales = new ushort[d + TriangleBlocks.ReadAhead];
        TriangleBlocks.Quantise(triangle, d, blocks.AsSpan(0, triangle.Length), scales.AsSpan(0, d));
        return (blocks, scales);
    }

    /// <summary>Creates rows of very different sizes, like those of whitening factors.</summary>
    private static double[] Triangle(Random random, int d)
    {
        var triangle = RandomEmbeddings.Normals(random, PackedTriangle.GetLength(d)).ToArray();
        for (int j = 0, at = 0; j < d; at += d - j++)
        for (var i = j; i < d; i++)
            triangle[at + i - j] *= Math.Pow(10, i % 5 - 2);
        return triangle;
    }

    private static double Norm(float[] triangle, ReadOnlySpan<float> x)
    {
        var d = x.Length;
        var sum = 0.0;
        for (var i = 0; i < d; i++)
        {
            var y = 0.0;
            for (var j = 0; j <= i; j++)
                y += (double)triangle[ColumnStart(d, j) + i - j] * x[j];
            sum += y * y;
        }
        return Math.Sqrt(sum);
    }

    private static int ColumnStart(int d, int j) => j * d - j * (j - 1) / 2;
}
