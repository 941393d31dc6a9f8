using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;
using PaDiM.Core.Tests.Support;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Core.Tests.Statistics;

public sealed class LowRankDistributionTests
{
    private static readonly Grid Grid = new(2, 3);

    [Theory]
    [InlineData(2, 6)]
    [InlineData(3, 20)]
    [InlineData(8, 40)]
    [InlineData(20, 60)]
    public void Distances_of_few_images_equal_the_inverse_covariance_formula(int n, int d)
    {
        var images = RandomEmbeddings.Draw(n + d, n + 1, Grid, d);
        var distribution = Assert.IsType<LowRankDistribution>(
            PatchDistribution.Freeze(Fitting.Gather(images[..n]), Fitting.Ridge)
        );
        var expected = Enumerable
            .Range(0, Grid.Positions)
            .Select(p => ReferenceGaussian.Fit(images[..n].At(p), Fitting.Epsilon).Distance(images.At(p)[n]))
            .ToArray();
        Close.Relative(expected, MahalanobisScorer.ComputeDistances(distribution, images[n]).Values, 1e-5);
    }

    /// <summary>
    /// The identity as it is usually written, M^2 = (|D|^2 - |B D|^2) / eps with B = L^-1 X and L L^T = X X^T + eps (n
    /// - 1) I, in float64.
    /// </summary>
    [Fact]
    public void Distances_equal_Woodburys_identity()
    {
        const int n = 5,
            d = 30;
        var images = RandomEmbeddings.Draw(7, n + 1, Grid, d);
        var map = MahalanobisScorer.ComputeDistances(
            PatchDistribution.Freeze(Fitting.Gather(images[..n]), Fitting.Ridge),
            images[n]
        );
        for (var p = 0; p < Grid.Positions; p++)
        {
            var vectors = images.At(p);
            var mean = Enumerable.Range(0, d).Select(j => vectors[..n].Average(x => x[j])).ToArray();
            var centred = vectors[..n].Select(x => x.Zip(mean, (v, m) => v - m).ToArray()).ToArray();
            var delta = vectors[n].Zip(mean, (v, m) => v - m).ToArray();
            var gram = new double[n, n];
            for (var i = 0; i < n; i++)
            for (var j = 0; j < n; j++)
                gram[i, j] = Dot(centred[i], centred[j]) + (i == j ? Fitting.Epsilon * (n - 1) : 0);
            var inverse = ReferenceGaussian.Invert(gram);
            var shadow = centred.Select(x => Dot(x, delta)).ToArray();
            var inside = 0.0;
            for (var i = 0; i < n; i++)
            for (var j = 0; j < n; j++)
                inside += shadow[i] * inverse[i, j] * shadow[j];
            Assert.Equal(
                Math.Sqrt((Dot(delta, delta) - inside) / Fitting.Epsilon),
                map.Values[p],
                1e-4 * map.Values[p]
            );
        }
    }

    [Theory]
    [InlineData(4, 12, 12)]
    [InlineData(30, 12, 12)]
    public void It_takes_less_room_than_triangles_or_is_not_used(int n, int d, int triangleOf)
    {
        var distribution = PatchDistribution.Freeze(
            Fitting.Gather(RandomEmbeddings.Draw(8, n, Grid, d)),
            Fitting.Ridge
        );
        Assert.True(distribution.Bytes <= sizeof(float) * Grid.Positions * (d + triangleOf * (triangleOf + 1L) / 2));
        Assert.Equal(n < 6, distribution is LowRankDistribution);
    }

    [Fact]
    public void Identical_and_constant_images_give_finite_distances()
    {
        foreach (
            var images in new[]
            {
                RandomEmbeddings.Identical(9, 4, Grid, 25),
                [.. Enumerable.Range(0, 4).Select(_ => new PatchEmbedding(Grid, 25))],
            }
        )
        {
            var distribution = PatchDistribution.Freeze(Fitting.Gather(images), Fitting.Ridge);
            Assert.All(
                MahalanobisScorer.ComputeDistances(distribution, images[0]).Values,
                m => Assert.Equal(0, m, 1e-3)
            );
            var far = RandomEmbeddings.Draw(10, 1, Grid, 25, mean: 1e4)[0];
            Assert.All(
                MahalanobisScorer.ComputeDistances(distribution, far).Values,
                m => Assert.True(float.IsFinite(m))
            );
        }
    }

    [Fact]
    public void Pairs_of_equal_images_span_half_as_much_and_change_nothing()
    {
        var distinct = RandomEmbeddings.Draw(11, 4, Grid, 30);
        PatchEmbedding[] images = [distinct[0], distinct[0], distinct[1], distinct[1], distinct[2], distinct[2]];
        var map = MahalanobisScorer.ComputeDistances(
            PatchDistribution.Freeze(Fitting.Gather(images), Fitting.Ridge),
            distinct[3]
        );
        var expected = Enumerable
            .Range(0, Grid.Positions)
            .Select(p => ReferenceGaussian.Fit(images.At(p), Fitting.Epsilon).Distance(distinct.At(p)[3]))
            .ToArray();
        Close.Relative(expected, map.Values, 1e-5);
    }

    [Fact]
    public void A_ridge_that_carries_nothing_is_refused() =>
        Assert.Throws<ArgumentException>(() =>
            new LowRankDistribution(new Grid(1, 1), 2, 1, new float[2], new float[2], new float[1], new float[1])
        );

    private static double Dot(double[] x, double[] y) => x.Zip(y, (a, b) => a * b).Sum();
}
