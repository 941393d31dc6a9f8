using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;
using PaDiM.Core.Tests.Support;

namespace PaDiM.Core.Tests.Statistics;

public sealed class PatchDistributionTests
{
    private static readonly Grid Grid = new(4, 5);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Fewer_than_two_images_are_refused_in_so_many_words(int n)
    {
        var statistics = new PatchStatistics(Grid, 3);
        statistics.Add(RandomEmbeddings.Draw(1, n, Grid, 3));
        var refused = Assert.Throws<ArgumentException>(() => PatchDistribution.Freeze(statistics, Fitting.Ridge));
        Assert.Contains($"at least 2 images, not {n}", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    public void An_epsilon_that_carries_nothing_is_refused(double epsilon) =>
        Assert.ThrowsAny<ArgumentException>(() =>
            PatchDistribution.Freeze(Fitting.Gather(RandomEmbeddings.Draw(1, 3, Grid, 3)), new Regularisation(epsilon))
        );

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Statistics_that_are_not_finite_are_refused_on_any_number_of_cores(int cores)
    {
        var statistics = Fitting.Gather(RandomEmbeddings.Draw(2, 5, Grid, 3));
        Array.Fill(statistics.Scatter, double.NaN);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = cores };
        Assert.Throws<ArithmeticException>(() => PatchDistribution.Freeze(statistics, Fitting.Ridge, parallel));
    }

    [Fact]
    public void Freezing_leaves_the_statistics_as_they_were()
    {
        var images = RandomEmbeddings.Draw(3, 6, Grid, 4);
        var statistics = Fitting.Gather(images);
        var before = statistics.Scatter.ToArray();
        PatchDistribution.Freeze(statistics, Fitting.Ridge);
        Assert.Equal(before, statistics.Scatter);
    }

    [Fact]
    public void The_same_statistics_freeze_to_the_same_bits()
    {
        var statistics = Fitting.Gather(RandomEmbeddings.Draw(4, 40, Grid, 12));
        var one = PatchDistribution.Freeze(
            statistics,
            Fitting.Ridge,
            new ParallelOptions { MaxDegreeOfParallelism = 1 }
        );
        var many = PatchDistribution.Freeze(statistics, Fitting.Ridge);
        Assert.Equal(one.Mean, many.Mean);
        Assert.Equal(
            Assert.IsType<QuantisedDistribution>(one).Whitening,
            Assert.IsType<QuantisedDistribution>(many).Whitening
        );
    }

    /// <summary>
    /// A dimension that is the sum of two others has a row of 1 / sqrt(epsilon) whose terms cancel: 16 bits are too few
    /// for it.
    /// </summary>
    [Fact]
    public void A_tiny_epsilon_keeps_float32()
    {
        Assert.IsType<QuantisedDistribution>(
            PatchDistribution.Freeze(Fitting.Gather(RandomEmbeddings.Draw(4, 40, Grid, 12)), Fitting.Ridge)
        );
        var correlated = RandomEmbeddings.Draw(6, 40, Grid, 12);
        foreach (var image in correlated)
            for (var p = 0; p < Grid.Positions; p++)
                image[p][11] = image[p][0] + image[p][1];
        var exact = Assert.IsType<FullRankDistribution>(
            PatchDistribution.Freeze(Fitting.Gather(correlated), new Regularisation(1e-9))
        );
        Assert.All(MahalanobisScorer.ComputeDistances(exact, correlated[0]).Values, m => Assert.InRange(m, 0, 40));
    }

    [Fact]
    public void A_cancelled_freeze_stops()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        var parallel = new ParallelOptions { CancellationToken = source.Token };
        var statistics = Fitting.Gather(RandomEmbeddings.Draw(5, 3, Grid, 2));
        Assert.ThrowsAny<OperationCanceledException>(() =>
            PatchDistribution.Freeze(statistics, Fitting.Ridge, parallel)
        );
    }
}
