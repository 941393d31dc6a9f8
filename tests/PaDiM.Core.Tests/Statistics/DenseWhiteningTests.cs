using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;
using PaDiM.Core.Tests.Support;

namespace PaDiM.Core.Tests.Statistics;

public sealed class DenseWhiteningTests
{
    private static readonly Grid Grid = new(2, 3);

    [Theory]
    [InlineData(30, 12, typeof(QuantisedDistribution))]
    [InlineData(9, 12, typeof(QuantisedDistribution))]
    [InlineData(2, 6, typeof(LowRankDistribution))]
    [InlineData(4, 12, typeof(LowRankDistribution))]
    [InlineData(20, 60, typeof(LowRankDistribution))]
    public void Its_norms_are_the_distances(int n, int d, Type kind)
    {
        var images = RandomEmbeddings.Draw(n + d, n + 1, Grid, d);
        var distribution = PatchDistribution.Freeze(Fitting.Gather(images[..n]), Fitting.Ridge);
        Assert.IsType(kind, distribution);
        Close.Relative(
            Norms(distribution, images[n]),
            MahalanobisScorer.ComputeDistances(distribution, images[n]).Values,
            1e-4
        );
        // Within the span of the training images, too, where the terms of a low rank nearly cancel.
        Close.Relative(
            Norms(distribution, images[0]),
            MahalanobisScorer.ComputeDistances(distribution, images[0]).Values,
            1e-4
        );
    }

    [Fact]
    public void Images_that_span_less_than_their_number_change_nothing()
    {
        var distinct = RandomEmbeddings.Draw(11, 3, Grid, 30);
        var distribution = PatchDistribution.Freeze(
            Fitting.Gather([distinct[0], distinct[0], distinct[1], distinct[1]]),
            Fitting.Ridge
        );
        Close.Relative(
            Norms(distribution, distinct[2]),
            MahalanobisScorer.ComputeDistances(distribution, distinct[2]).Values,
            1e-4
        );
    }

    [Fact]
    public void It_is_the_lower_triangle_of_a_full_rank_and_writes_over_what_was_there()
    {
        var square = Enumerable.Repeat(9f, 9).ToArray();
        new FullRankDistribution(new Grid(1, 1), 3, new float[3], new float[] { 1, 2, 3, 4, 5, 6 }).UnpackWhitening(
            0,
            square
        );
        Assert.Equal([1, 0, 0, 2, 4, 0, 3, 5, 6], square);
    }

    private static double[] Norms(PatchDistribution distribution, PatchEmbedding embedding)
    {
        var d = distribution.Dimensions;
        var square = new float[d * d];
        return
        [
            .. Enumerable
                .Range(0, Grid.Positions)
                .Select(p =>
                {
                    distribution.UnpackWhitening(p, square);
                    var delta = embedding[p]
                        .ToArray()
                        .Zip(distribution.MeansAt(p, 1).ToArray(), (x, mean) => (double)x - mean)
                        .ToArray();
                    return Math.Sqrt(square.Chunk(d).Sum(row => Math.Pow(row.Zip(delta, (f, v) => f * v).Sum(), 2)));
                }),
        ];
    }
}
