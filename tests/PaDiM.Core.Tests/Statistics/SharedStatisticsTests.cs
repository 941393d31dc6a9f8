using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Statistics;
using PaDiM.Core.Tests.Support;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Core.Tests.Statistics;

public sealed class SharedStatisticsTests
{
    private const int D = 5;
    private static readonly Grid Grid = new(12, 13);

    [Theory]
    [InlineData(1, false)]
    [InlineData(7, false)]
    [InlineData(7, true)]
    public void The_covariance_is_that_of_all_patches_by_their_shares(int n, bool masked)
    {
        var images = RandomEmbeddings.Draw(1, n, Grid, D);
        var shares = masked ? Shares() : null;
        var samples = Gather(images, shares).ToSamples();
        var (mean, covariance) = new ReferenceShared(0, Widen(shares)).Fit(ByImage(images));
        Close.Relative(mean, samples.Mean, 1e-12);
        Close.OfScale(covariance.Flat(), [.. samples.ScatterOf(0).Select(v => v / (samples.Count - 1))], 1e-12);
        if (!masked)
            Assert.Equal(n * Grid.Positions, samples.Count);
    }

    [Fact]
    public void Patches_that_do_not_count_change_nothing()
    {
        var shares = Shares();
        var images = RandomEmbeddings.Draw(2, 3, Grid, D);
        var before = Gather(images, shares);
        foreach (var image in images)
            for (var p = 0; p < Grid.Positions; p++)
                if (shares[p] == 0)
                    image[p].Fill(1e6f);
        var after = Gather(images, shares);
        Assert.Equal(before.Mean, after.Mean);
        Assert.Equal(before.Scatter, after.Scatter);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(false, 1e4)]
    public void Added_and_removed_images_leave_the_sums_of_the_others(bool masked, double mean)
    {
        var images = RandomEmbeddings.Draw(3, 9, Grid, D, mean);
        var shares = masked ? Shares() : null;
        var statistics = Gather(images[..6], shares);
        statistics.Add(images[6..]);
        statistics.Remove(images[1..4]);
        statistics.Remove([images[8]]);
        var expected = Gather([images[0], .. images[4..8]], shares);
        Assert.Equal(expected.Count, statistics.Count);
        Close.Relative(expected.Mean, statistics.Mean, 1e-9);
        Close.OfScale(expected.Scatter, statistics.Scatter, 1e-9);
        var without = Gather(images, shares).Without(images[8], statistics.CreateImageSums());
        Assert.Equal(8, without.Count);
        Close.OfScale(Gather(images[..8], shares).Scatter, without.Scatter, 1e-9);
    }

    [Fact]
    public void Without_images_nothing_is_left()
    {
        var images = RandomEmbeddings.Draw(4, 3, Grid, D);
        var statistics = Gather(images, null);
        statistics.Remove(images);
        Assert.Equal(0, statistics.Count);
        Assert.All(statistics.Mean.Concat(statistics.Scatter), value => Assert.Equal(0, value));
        Assert.Throws<ArgumentException>(() => statistics.Remove([images[0]]));
    }

    [Fact]
    public void The_number_of_cores_and_of_batches_does_not_change_a_bit()
    {
        var images = RandomEmbeddings.Draw(5, 9, Grid, D);
        var one = new SharedStatistics(Grid, D, Shares());
        one.Add(images, new ParallelOptions { MaxDegreeOfParallelism = 1 });
        var many = new SharedStatistics(Grid, D, Shares());
        foreach (var part in images.Chunk(4))
            many.Add(part, new ParallelOptions { MaxDegreeOfParallelism = 3 });
        Assert.Equal(one.Mean, many.Mean);
        Assert.Equal(one.Scatter, many.Scatter);
    }

    [Fact]
    public void Sums_go_on_only_with_equal_shares()
    {
        var shares = Shares();
        var masked = new SharedStatistics(Grid, D, shares);
        Assert.True(masked.IsFor(PatchPositions.Shared, [.. shares]));
        Assert.False(masked.IsFor(PatchPositions.Shared, null));
        Assert.False(masked.IsFor(PatchPositions.Shared, [.. shares.Reverse()]));
        Assert.False(masked.IsFor(PatchPositions.Own, shares));
        Assert.True(new SharedStatistics(Grid, D).IsFor(PatchPositions.Shared, null));
        Assert.False(new SharedStatistics(Grid, D).IsFor(PatchPositions.Shared, shares));
        Assert.True(new PatchStatistics(Grid, D).IsFor(PatchPositions.Own, shares));
        Assert.False(new PatchStatistics(Grid, D).IsFor(PatchPositions.Shared, null));
    }

    [Theory]
    [InlineData(-0.1f)]
    [InlineData(1.1f)]
    [InlineData(float.NaN)]
    public void A_share_that_is_none_is_refused(float wrong)
    {
        var shares = Shares();
        shares[3] = wrong;
        Assert.Throws<ArgumentException>(() => new SharedStatistics(Grid, D, shares));
        Assert.Throws<ArgumentException>(() => new SharedStatistics(Grid, D, new float[Grid.Positions]));
        Assert.Throws<ArgumentException>(() => new SharedStatistics(Grid, D, [1]));
    }

    [Fact]
    public void Embeddings_of_another_shape_or_not_finite_are_refused()
    {
        var statistics = new SharedStatistics(Grid, D);
        var broken = new PatchEmbedding(Grid, D);
        broken.Values[7] = float.NaN;
        Assert.Throws<ArgumentException>(() => statistics.Add([broken]));
        Assert.Throws<ArgumentException>(() => statistics.Add([new PatchEmbedding(Grid, D + 1)]));
        Assert.Equal(0, statistics.Count);
    }

    private static SharedStatistics Gather(PatchEmbedding[] images, float[]? shares)
    {
        var statistics = new SharedStatistics(Grid, D, shares);
        statistics.Add(images);
        return statistics;
    }

    private static float[] Shares() => [.. Enumerable.Range(0, Grid.Positions).Select(p => p % 5 / 4f)];

    private static double[]? Widen(float[]? values) =>
        values is null ? null : Array.ConvertAll(values, value => (double)value);

    private static double[][][] ByImage(PatchEmbedding[] images) =>
        [
            .. images.Select(image =>
                Enumerable.Range(0, Grid.Positions).Select(p => new[] { image }.At(p)[0]).ToArray()
            ),
        ];
}
