using System.Numerics;
using FsCheck;
using FsCheck.Xunit;
using PaDiM.Core.Embedding;
using PaDiM.Core.Tests.Support;

namespace PaDiM.Core.Tests.Embedding;

public sealed class MatrixKernelTests
{
    [Property(MaxTest = 150)]
    public void Equals_the_triple_loop_for_any_shape(PositiveInt width, PositiveInt channels, PositiveInt d, NonNegativeInt gap, int seed) =>
        EqualsTripleLoop(width.Get, channels.Get, d.Get, gap.Get, seed);

    [Fact]
    public void Equals_the_triple_loop_around_every_tile_and_vector_boundary()
    {
        var lanes = Vector<float>.Count;
        foreach (var width in new[] { 1, 3, 4, 5, 7, 8, 9 })
            foreach (var d in new[] { 1, lanes - 1, lanes, lanes + 1, 2 * lanes - 1, 2 * lanes, 2 * lanes + 1, 4 * lanes, 6 * lanes + 3 })
                EqualsTripleLoop(width, 5, d, 2, width * d);
    }

    [Fact]
    public void No_channels_add_nothing()
    {
        float[] target = [1, 2, 3];
        MatrixKernel.AddTransposedProduct([], 1, 1, [], 0, 3, target);
        Assert.Equal([1, 2, 3], target);
    }

    private static void EqualsTripleLoop(int width, int channels, int d, int gap, int seed)
    {
        var random = new Random(seed);
        var stride = width + gap;
        // Exactly as long as documented, so that reading on would be seen as a wrong number by neighbours in the target.
        var features = Draw(random, (channels - 1) * stride + width);
        var weights = Draw(random, channels * d);
        var target = Draw(random, width * d + 3);
        var expected = Array.ConvertAll(target, v => (double)v);
        for (var x = 0; x < width; x++)
            for (var j = 0; j < d; j++)
                for (var c = 0; c < channels; c++) expected[x * d + j] += (double)features[c * stride + x] * weights[c * d + j];
        MatrixKernel.AddTransposedProduct(features, stride, width, weights, channels, d, target);
        Close.OfScale(expected, Array.ConvertAll(target, v => (double)v), 1e-5);
        Assert.Equal(expected[^3..], Array.ConvertAll(target[^3..], v => (double)v));
    }

    private static float[] Draw(Random random, int count) => [.. RandomEmbeddings.Normals(random, count).Select(z => (float)z)];
}
