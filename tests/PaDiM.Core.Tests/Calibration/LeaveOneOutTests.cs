using PaDiM.Core.Calibration;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Tests.Support;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Core.Tests.Calibration;

public sealed class LeaveOneOutTests
{
    private static readonly Grid Grid = new(2, 3);

    [Theory]
    [InlineData(30, 6)]
    [InlineData(7, 6)]
    [InlineData(6, 15)]
    [InlineData(3, 8)]
    [InlineData(2, 5)]
    [InlineData(4, 1)]
    public void Leave_one_out_equals_refitting_without_the_image(int n, int d) =>
        EqualsRefitting(RandomEmbeddings.Draw(n + 100 * d, n, Grid, d), 1e-6);

    [Fact]
    public void Leave_one_out_holds_for_a_mean_ten_thousand_times_the_deviation() =>
        EqualsRefitting(RandomEmbeddings.Draw(31, 12, Grid, 6, mean: 1e4, sigma: 1), 1e-6);

    [Theory]
    [InlineData(0.01)]
    [InlineData(100)]
    public void Leave_one_out_holds_for_small_and_large_deviations(double sigma) =>
        EqualsRefitting(RandomEmbeddings.Draw(32, 8, Grid, 12, mean: 5, sigma), 1e-6);

    [Fact]
    public void Leave_one_out_of_an_outlier_is_far_above_its_own_training_score()
    {
        var images = RandomEmbeddings.Draw(33, 6, Grid, 20);
        for (var i = 0; i < images[2].Values.Length; i++)
            images[2].Values[i] += 50;
        EqualsRefitting(images, 1e-6);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(9)]
    public void Identical_images_are_at_distance_0(int n)
    {
        var images = RandomEmbeddings.Identical(34, n, Grid, 7);
        var maps = LeaveOneOut.Consume(Fitting.Gather(images), Fitting.Ridge).ComputeDistances(images);
        Assert.All(maps.SelectMany(map => map.Values), m => Assert.Equal(0, m, 1e-6));
    }

    [Fact]
    public void One_image_unlike_its_identical_fellows_stays_finite()
    {
        var images = RandomEmbeddings.Identical(35, 9, Grid, 7);
        images[4] = RandomEmbeddings.Draw(36, 1, Grid, 7, mean: 1e3, sigma: 100)[0];
        var maps = LeaveOneOut.Consume(Fitting.Gather(images), Fitting.Ridge).ComputeDistances(images);
        Assert.All(maps.SelectMany(map => map.Values), m => Assert.True(float.IsFinite(m)));
    }

    [Fact]
    public void Batches_score_as_all_images_at_once()
    {
        var images = RandomEmbeddings.Draw(37, 7, Grid, 5);
        var leaveOneOut = LeaveOneOut.Consume(Fitting.Gather(images), Fitting.Ridge);
        var whole = leaveOneOut.ComputeDistances(images);
        var parts = images.Chunk(3).SelectMany(part => leaveOneOut.ComputeDistances(part)).ToArray();
        for (var i = 0; i < images.Length; i++)
            Assert.Equal(whole[i].Values, parts[i].Values);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Fewer_than_two_images_are_refused_in_so_many_words(int n)
    {
        var statistics = new Core.Statistics.PatchStatistics(Grid, 3);
        statistics.Add(RandomEmbeddings.Draw(38, n, Grid, 3));
        var refused = Assert.Throws<ArgumentException>(() => LeaveOneOut.Consume(statistics, Fitting.Ridge));
        Assert.Contains($"at least 2 images, not {n}", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, 3, 3)]
    [InlineData(2, 3, 5)]
    [InlineData(3, 3, 4)]
    [InlineData(3, 2, 4)]
    public void Another_shape_is_refused(int height, int width, int d)
    {
        var leaveOneOut = LeaveOneOut.Consume(Fitting.Gather(RandomEmbeddings.Draw(39, 4, Grid, 4)), Fitting.Ridge);
        Assert.Throws<ArgumentException>(() =>
            leaveOneOut.ComputeDistances([new PatchEmbedding(new Grid(height, width), d)])
        );
    }

    private static void EqualsRefitting(PatchEmbedding[] images, double tolerance)
    {
        var maps = LeaveOneOut.Consume(Fitting.Gather(images), Fitting.Ridge).ComputeDistances(images);
        for (var p = 0; p < Grid.Positions; p++)
        {
            var vectors = images.At(p);
            Close.Relative(
                [.. images.Select((_, i) => ReferenceGaussian.LeaveOneOut(vectors, i, Fitting.Epsilon))],
                [.. maps.Select(map => (double)map.Values[p])],
                tolerance
            );
        }
    }
}
