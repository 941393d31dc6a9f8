using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;
using PaDiM.Core.Tests.Support;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Core.Tests.Scoring;

public sealed class MahalanobisScorerTests
{
    private static readonly Grid Grid = new(3, 3);

    [Theory]
    [InlineData(40, 7)]
    [InlineData(5, 14)]
    [InlineData(2, 6)]
    [InlineData(3, 1)]
    public void Distances_equal_the_inverse_covariance_formula(int n, int d)
    {
        var images = RandomEmbeddings.Draw(n * d, n + 1, Grid, d);
        var expected = Expected(images[..n], images[n]);
        Close.Relative(
            expected,
            MahalanobisScorer
                .ComputeDistances(Fitting.Unrounded(Fitting.Gather(images[..n]), Fitting.Ridge), images[n])
                .Values,
            1e-5
        );
        Close.Relative(
            expected,
            MahalanobisScorer.ComputeDistances(Freeze(images[..n]), images[n]).Values,
            Fitting.RoundingOf16Bits
        );
    }

    [Fact]
    public void Distances_after_removing_equal_those_after_a_refit()
    {
        var images = RandomEmbeddings.Draw(21, 16, Grid, 10);
        var statistics = Fitting.Gather(images[..15], 4);
        statistics.Remove(images[9..15]);
        var map = MahalanobisScorer.ComputeDistances(PatchDistribution.Freeze(statistics, Fitting.Ridge), images[15]);
        Close.Relative(Expected(images[..9], images[15]), map.Values, 1e-4);
    }

    [Fact]
    public void Distances_after_merging_equal_those_after_one_fit()
    {
        var images = RandomEmbeddings.Draw(22, 13, Grid, 6);
        var statistics = Fitting.Gather(images[..5]);
        statistics.Merge(Fitting.Gather(images[5..12]));
        var map = MahalanobisScorer.ComputeDistances(PatchDistribution.Freeze(statistics, Fitting.Ridge), images[12]);
        Close.Relative(Expected(images[..12], images[12]), map.Values, Fitting.RoundingOf16Bits);
    }

    /// <summary>
    /// The frozen mean is float32: 1e4 has an error of 5e-4, and so has a distance of about one deviation per
    /// dimension.
    /// </summary>
    [Fact]
    public void A_huge_mean_costs_no_more_than_the_rounding_of_the_mean()
    {
        var images = RandomEmbeddings.Draw(23, 41, Grid, 5, mean: 1e4, sigma: 1);
        var map = MahalanobisScorer.ComputeDistances(Freeze(images[..40]), images[40]);
        Close.Relative(Expected(images[..40], images[40]), map.Values, 5e-3);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(10)]
    public void Identical_images_are_at_distance_0_and_others_stay_finite(int n)
    {
        var images = RandomEmbeddings.Identical(24, n, Grid, 8);
        var distribution = Freeze(images);
        Assert.All(MahalanobisScorer.ComputeDistances(distribution, images[0]).Values, m => Assert.Equal(0, m, 1e-4));
        var other = RandomEmbeddings.Draw(25, 1, Grid, 8)[0];
        var map = MahalanobisScorer.ComputeDistances(distribution, other);
        Close.Relative(Expected(images, other), map.Values, Fitting.RoundingOf16Bits);
    }

    [Fact]
    public void Constant_features_stay_finite()
    {
        var images = Enumerable.Range(0, 4).Select(_ => new PatchEmbedding(Grid, 6)).ToArray();
        var map = MahalanobisScorer.ComputeDistances(Freeze(images), images[0]);
        Assert.All(map.Values, m => Assert.Equal(0, m));
    }

    [Fact]
    public void A_batch_scores_as_its_images_do_alone()
    {
        var images = RandomEmbeddings.Draw(26, 12, Grid, 5);
        var distribution = Freeze(images[..8]);
        var batch = MahalanobisScorer.ComputeDistances(distribution, images[8..]);
        Assert.Equal(4, batch.Length);
        for (var i = 0; i < batch.Length; i++)
            Assert.Equal(MahalanobisScorer.ComputeDistances(distribution, images[8 + i]).Values, batch[i].Values);
    }

    [Fact]
    public void An_empty_batch_gives_no_maps() =>
        Assert.Empty(
            MahalanobisScorer.ComputeDistances(
                Freeze(RandomEmbeddings.Draw(27, 3, Grid, 2)),
                Array.Empty<PatchEmbedding>()
            )
        );

    [Theory]
    [InlineData(3, 3, 5)]
    [InlineData(9, 1, 4)]
    [InlineData(3, 2, 4)]
    public void Another_shape_is_refused(int height, int width, int d)
    {
        var distribution = Freeze(RandomEmbeddings.Draw(28, 3, Grid, 4));
        Assert.Throws<ArgumentException>(() =>
            MahalanobisScorer.ComputeDistances(distribution, new PatchEmbedding(new Grid(height, width), d))
        );
    }

    private static PatchDistribution Freeze(PatchEmbedding[] images) =>
        PatchDistribution.Freeze(Fitting.Gather(images), Fitting.Ridge);

    private static double[] Expected(PatchEmbedding[] images, PatchEmbedding scored) =>
        [
            .. Enumerable
                .Range(0, Grid.Positions)
                .Select(p => ReferenceGaussian.Fit(images.At(p), Fitting.Epsilon).Distance(new[] { scored }.At(p)[0])),
        ];
}
