using PaDiM.Core.Calibration;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;
using PaDiM.Core.Tests.Support;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Core.Tests.Statistics;

/// <summary>One Gaussian for all positions: its distances, and those of each image from the others.</summary>
public sealed class SharedDistributionTests
{
    // Ridge, OAS, masked, n, d, rows, columns.
    public static TheoryData<double, bool, bool, int, int, int, int> Cases =>
        new()
        {
            { 0.5, false, false, 6, 4, 5, 7 },
            { 0.5, false, true, 6, 4, 5, 7 },
            { 0, false, false, 3, 17, 4, 6 },
            { 0.3, true, false, 3, 20, 4, 6 },
            { 0.3, true, true, 2, 20, 4, 6 },
            { 0.5, false, false, 2, 9, 1, 2 },
            { 0, true, true, 2, 3, 3, 3 },
            { 0.5, false, false, 5, 1, 2, 2 },
        };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Distances_are_those_of_the_formula(double ridge, bool oas, bool masked, int n, int d, int h, int w)
    {
        var grid = new Grid(h, w);
        var shares = masked ? Shares(grid) : null;
        var images = RandomEmbeddings.Draw(n + d, n + 2, grid, d);
        var distribution = PatchDistribution.Freeze(Gather(images[..n], shares), Create(ridge, oas));
        Assert.IsType<SharedDistribution>(distribution);
        var reference = Reference(ridge, oas, shares);
        var together = MahalanobisScorer.ComputeDistances(distribution, images[n..]);
        for (var i = 0; i < 2; i++)
        {
            Close.Relative(
                reference.Distances(ByImage(images[..n]), ByImage(images)[n + i]),
                together[i].Values,
                Fitting.RoundingOf16Bits
            );
            Close.Relative(
                Array.ConvertAll(together[i].Values, v => (double)v),
                MahalanobisScorer.ComputeDistances(distribution, images[n + i]).Values,
                1e-6
            );
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void An_image_left_out_scores_as_by_a_fit_without_it(
        double ridge,
        bool oas,
        bool masked,
        int n,
        int d,
        int h,
        int w
    )
    {
        var grid = new Grid(h, w);
        var shares = masked ? Shares(grid) : null;
        var images = RandomEmbeddings.Draw(n + d, n, grid, d);
        var maps = LeaveOneOut.Consume(Gather(images, shares), Create(ridge, oas)).ComputeDistances(images);
        var vectors = ByImage(images);
        var reference = Reference(ridge, oas, shares);
        for (var i = 0; i < n; i++)
            Close.Relative(reference.LeaveOneOut(vectors, i), maps[i].Values, 1e-6);
    }

    /// <summary>The statistics of all images are removed from, so rounding could matter.</summary>
    [Fact]
    public void An_image_left_out_scores_as_by_a_refit_for_a_mean_ten_thousand_times_the_deviation()
    {
        var grid = new Grid(8, 8);
        var images = RandomEmbeddings.Draw(5, 6, grid, 6, mean: 1e4, sigma: 1);
        var maps = LeaveOneOut.Consume(Gather(images, null), Create(0.5, false)).ComputeDistances(images);
        for (var i = 0; i < images.Length; i++)
            Close.Relative(new ReferenceShared(0.5).LeaveOneOut(ByImage(images), i), maps[i].Values, 1e-6);
    }

    /// <summary>One image is left, of which one patch counts in part: it has no covariance, only the ridge of both.</summary>
    [Fact]
    public void A_single_sample_that_is_left_has_the_ridge_of_all()
    {
        var grid = new Grid(1, 2);
        var images = RandomEmbeddings.Draw(6, 2, grid, 3);
        var maps = LeaveOneOut.Consume(Gather(images, [0.5f, 0]), Create(0.5, false)).ComputeDistances(images);
        var squared = images[0][0].ToArray().Zip(images[1][0].ToArray(), (a, b) => Math.Pow((double)a - b, 2)).Sum();
        // The covariance of two samples has the trace |a - b|^2 / 2.
        var ridge = 0.5 * squared / 2 / 3;
        Assert.Equal(Math.Sqrt(squared / ridge), maps[0].Values[0], 1e-5);
        Assert.Equal(maps[0].Values[0], maps[1].Values[0], 1e-5f);
    }

    [Fact]
    public void Quiet_positions_weigh_as_others_do()
    {
        var grid = new Grid(4, 4);
        var statistics = Gather(RandomEmbeddings.Draw(7, 5, grid, 6), null);
        var image = RandomEmbeddings.Draw(8, 1, grid, 6)[0];
        float[] Score(double exponent) =>
            MahalanobisScorer
                .ComputeDistances(
                    PatchDistribution.Freeze(
                        statistics,
                        new Regularisation(Fitting.Epsilon) { RelativeRidge = 0.5, QuietExponent = exponent }
                    ),
                    image
                )
                .Values;
        Assert.Equal(Score(0), Score(1.5));
    }

    [Fact]
    public void A_patch_scores_the_same_wherever_it_lies()
    {
        var grid = new Grid(5, 9);
        var distribution = PatchDistribution.Freeze(
            Gather(RandomEmbeddings.Draw(9, 4, grid, 20), null),
            Create(0.5, false)
        );
        var image = RandomEmbeddings.Draw(10, 1, grid, 20)[0];
        for (var p = 1; p < grid.Positions; p++)
            image[0].CopyTo(image[p]);
        var distances = MahalanobisScorer.ComputeDistances(distribution, image).Values;
        Assert.InRange(distances.Max() / distances.Min(), 1, 1 + 1e-6);
    }

    [Fact]
    public void One_factor_is_stored_and_unpacked_for_every_position()
    {
        var grid = new Grid(5, 9);
        var statistics = Gather(RandomEmbeddings.Draw(11, 4, grid, 6), null);
        var distribution = PatchDistribution.Freeze(statistics, Create(0.5, false));
        Assert.Equal((1, 6), (distribution.GaussianCount, distribution.Mean.Length));
        Assert.Equal(6 * 4 + 21 * 2 + 6 * 2, distribution.Bytes);
        var first = new float[36];
        var last = new float[36];
        distribution.UnpackWhitening(0, first);
        distribution.UnpackWhitening(44, last);
        Assert.Equal(first, last);
    }

    [Theory]
    [InlineData(0.01, 1e-9)]
    [InlineData(1e-9, 1e-5)]
    public void A_range_too_large_for_16_bits_stays_in_float32(double epsilon, double scale)
    {
        var grid = new Grid(6, 6);
        var images = RandomEmbeddings.Draw(12, 4, grid, 8);
        foreach (var image in images)
            for (var p = 0; p < grid.Positions; p++)
                image[p][3] *= (float)scale;
        var distribution = (SharedDistribution)
            PatchDistribution.Freeze(Gather(images[..3], null), new Regularisation(epsilon));
        Assert.IsType(
            epsilon < 1e-6 ? typeof(FullRankDistribution) : typeof(QuantisedDistribution),
            distribution.Gaussian
        );
        var expected = new ReferenceShared(0, Epsilon: epsilon).Distances(ByImage(images[..3]), ByImage(images)[3]);
        Close.Relative(expected, MahalanobisScorer.ComputeDistances(distribution, images[3]).Values, 1e-3);
    }

    [Fact]
    public void The_number_of_patches_chooses_the_shrinkage()
    {
        foreach (var (rows, method) in new[] { (4, ShrinkageMethod.Oas), (5, ShrinkageMethod.None) })
        {
            // 2 images of 10 patches per row, and 10 samples for each of 10 dimensions.
            var grid = new Grid(rows, 10);
            var statistics = Gather(RandomEmbeddings.Draw(13, 2, grid, 10), null);
            Assert.Equal(method, ShrinkageRule.Resolve(ShrinkageMethod.Auto, statistics));
            Assert.Equal(ShrinkageMethod.Oas, ShrinkageRule.Resolve(ShrinkageMethod.Oas, statistics));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void One_image_has_a_Gaussian_but_none_can_be_left_out(int n)
    {
        var grid = new Grid(2, 2);
        var images = RandomEmbeddings.Draw(14, Math.Max(1, n), grid, 3);
        var statistics = Gather(images[..n], null, grid, 3);
        if (n == 0)
            Assert.Throws<ArgumentException>(() => PatchDistribution.Freeze(statistics, Fitting.Ridge));
        else
            Assert.Equal(1, PatchDistribution.Freeze(statistics, Fitting.Ridge).GaussianCount);
        Assert.Throws<ArgumentException>(() => LeaveOneOut.Consume(statistics, Fitting.Ridge));
    }

    private static SharedStatistics Gather(PatchEmbedding[] images, float[]? shares) =>
        Gather(images, shares, images[0].Grid, images[0].Dimensions);

    private static SharedStatistics Gather(PatchEmbedding[] images, float[]? shares, Grid grid, int d)
    {
        var statistics = new SharedStatistics(grid, d, shares);
        statistics.Add(images);
        return statistics;
    }

    private static Regularisation Create(double ridge, bool oas) =>
        new(Fitting.Epsilon, oas ? ShrinkageMethod.Oas : ShrinkageMethod.None)
        {
            RelativeRidge = ridge,
            QuietExponent = 1.5,
        };

    private static ReferenceShared Reference(double ridge, bool oas, float[]? shares) =>
        new(ridge, shares is null ? null : Array.ConvertAll(shares, v => (double)v), oas, Fitting.Epsilon);

    private static float[] Shares(Grid grid) =>
        [.. Enumerable.Range(0, grid.Positions).Select(p => (p * 7 + 2) % 5 / 4f)];

    private static double[][][] ByImage(PatchEmbedding[] images) =>
        [
            .. images.Select(image =>
                Enumerable.Range(0, image.Grid.Positions).Select(p => new[] { image }.At(p)[0]).ToArray()
            ),
        ];
}
