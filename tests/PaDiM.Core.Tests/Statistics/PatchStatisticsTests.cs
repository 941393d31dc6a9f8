using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Statistics;
using PaDiM.Core.Tests.Support;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Core.Tests.Statistics;

public sealed class PatchStatisticsTests
{
    private static readonly Grid Grid = new(2, 3);

    [Theory]
    [InlineData(30, 7)]
    [InlineData(5, 12)]
    [InlineData(2, 4)]
    [InlineData(1, 4)]
    public void Mean_and_scatter_equal_the_textbook_sums(int n, int d)
    {
        var images = RandomEmbeddings.Draw(n + d, n, Grid, d);
        Equal(images, Fitting.Gather(images), 1e-12);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(16)]
    public void Adding_in_batches_equals_one_pass(int batch)
    {
        var images = RandomEmbeddings.Draw(3, 23, Grid, 6);
        var statistics = Fitting.Gather(images, batch);
        Assert.Equal(23, statistics.Count);
        Equal(images, statistics, 1e-12);
    }

    [Fact]
    public void An_empty_batch_changes_nothing()
    {
        var images = RandomEmbeddings.Draw(3, 4, Grid, 3);
        var statistics = Fitting.Gather(images);
        var mean = statistics.Mean.ToArray();
        var scatter = statistics.Scatter.ToArray();
        statistics.Add([]);
        statistics.Merge(new PatchStatistics(Grid, 3));
        Assert.Equal(4, statistics.Count);
        Assert.Equal(mean, statistics.Mean);
        Assert.Equal(scatter, statistics.Scatter);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(0, 9)]
    [InlineData(4, 13)]
    [InlineData(20, 1)]
    public void Merging_equals_gathering_everything_in_one_place(int here, int there)
    {
        var images = RandomEmbeddings.Draw(5, here + there, Grid, 8);
        var statistics = new PatchStatistics(Grid, 8);
        statistics.Add(images[..here]);
        statistics.Merge(Fitting.Gather(images[here..]));
        Assert.Equal(here + there, statistics.Count);
        Equal(images, statistics, 1e-12);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(18)]
    public void Removing_equals_never_having_added(int removed)
    {
        var images = RandomEmbeddings.Draw(6, 20, Grid, 9);
        var statistics = Fitting.Gather(images, 4);
        statistics.Remove(images[..removed]);
        Assert.Equal(20 - removed, statistics.Count);
        Equal(images[removed..], statistics, 1e-11);
    }

    [Fact]
    public void Removing_every_image_leaves_the_statistics_of_none()
    {
        var images = RandomEmbeddings.Draw(6, 3, Grid, 2);
        var statistics = Fitting.Gather(images);
        statistics.Remove(images);
        Assert.Equal(0, statistics.Count);
        Assert.All(statistics.Mean.Concat(statistics.Scatter), value => Assert.Equal(0, value));
        statistics.Add(images);
        Equal(images, statistics, 1e-12);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public void A_mean_ten_thousand_times_the_deviation_does_not_cancel(int batch)
    {
        var images = RandomEmbeddings.Draw(7, 40, Grid, 5, mean: 1e4, sigma: 1);
        Equal(images, Fitting.Gather(images, batch), 1e-10);
    }

    [Fact]
    public void Degree_of_parallelism_does_not_change_a_bit()
    {
        var images = RandomEmbeddings.Draw(8, 6, new Grid(9, 7), 5);
        var one = new PatchStatistics(new Grid(9, 7), 5);
        var many = new PatchStatistics(new Grid(9, 7), 5);
        one.Add(images, new ParallelOptions { MaxDegreeOfParallelism = 1 });
        many.Add(images, new ParallelOptions { MaxDegreeOfParallelism = 5 });
        Assert.Equal(one.Mean, many.Mean);
        Assert.Equal(one.Scatter, many.Scatter);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void An_embedding_that_is_not_finite_is_refused_and_leaves_no_trace(float value)
    {
        var images = RandomEmbeddings.Draw(9, 4, Grid, 3);
        images[3].Values[^1] = value;
        var statistics = Fitting.Gather(images[..2]);
        var before = statistics.Scatter.ToArray();
        var refused = Assert.Throws<ArgumentException>(() => statistics.Add(images[2..]));
        Assert.Contains("not finite", refused.Message, StringComparison.Ordinal);
        Assert.Equal(2, statistics.Count);
        Assert.Equal(before, statistics.Scatter);
    }

    [Theory]
    [InlineData(2, 3, 5)]
    [InlineData(3, 2, 4)]
    [InlineData(2, 4, 4)]
    public void Another_shape_is_refused(int height, int width, int d)
    {
        var statistics = new PatchStatistics(Grid, 4);
        Assert.Throws<ArgumentException>(() => statistics.Add([new PatchEmbedding(new Grid(height, width), d)]));
        Assert.Throws<ArgumentException>(() => statistics.Merge(new PatchStatistics(new Grid(height, width), d)));
        Assert.Equal(0, statistics.Count);
    }

    [Fact]
    public void Removing_more_than_was_added_is_refused()
    {
        var images = RandomEmbeddings.Draw(10, 3, Grid, 2);
        Assert.Throws<ArgumentException>(() => Fitting.Gather(images[..2]).Remove(images));
    }

    /// <summary>Means each to its own size; scatters to the largest entry of their matrix.</summary>
    private static void Equal(PatchEmbedding[] images, PatchStatistics statistics, double tolerance)
    {
        for (var p = 0; p < Grid.Positions; p++)
        {
            var reference = ReferenceGaussian.Fit(images.At(p), Fitting.Epsilon);
            Close.Relative(reference.Mean, statistics.MeanOf(p), tolerance);
            if (images.Length > 1)
                Close.OfScale(reference.Scatter.Flat(), statistics.ScatterOf(p), tolerance);
            else
                Assert.All(statistics.ScatterOf(p), value => Assert.Equal(0, value, 1e-12));
        }
    }
}
