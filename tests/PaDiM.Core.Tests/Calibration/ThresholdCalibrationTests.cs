using System.Text.Json;
using FsCheck;
using FsCheck.Xunit;
using PaDiM.Core.Calibration;
using PaDiM.Core.Tests.Support;

namespace PaDiM.Core.Tests.Calibration;

public sealed class ThresholdCalibrationTests
{
    [Fact]
    public void The_rate_of_a_threshold_is_the_smallest_that_leads_to_it()
    {
        var calibration = new ThresholdCalibration([.. Enumerable.Range(1, 40).Select(i => (double)i)]);
        foreach (var rate in new[] { 0.03, 0.05, 0.1, 0.5, 0.9 })
        {
            var attained = calibration.GetFalseRejectRate(calibration.GetThreshold(rate));
            Assert.InRange(attained, 1 / 41.0, rate + 1e-12);
            Assert.Equal(calibration.GetThreshold(rate), calibration.GetThreshold(attained));
        }
        Assert.Equal(
            (1, 1 / 41.0, 3 / 41.0),
            (
                calibration.GetFalseRejectRate(0),
                calibration.GetFalseRejectRate(99),
                calibration.GetFalseRejectRate(38.5)
            )
        );
    }

    public static TheoryData<int, double> Rates()
    {
        var data = new TheoryData<int, double>();
        foreach (var n in new[] { 1, 2, 9, 19, 20, 99, 100, 333 })
        foreach (var rate in new[] { 0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.999 })
            data.Add(n, rate);
        return data;
    }

    [Theory]
    [MemberData(nameof(Rates))]
    public void The_threshold_is_the_smallest_score_with_enough_scores_at_or_below_it(int n, double rate)
    {
        var scores = Scores(n, n);
        // Decimal arithmetic has no rounding here: (n + 1)(1 - rate) is exact.
        var needed = (int)Math.Min(n, decimal.Ceiling((n + 1) * (1 - (decimal)rate)));
        var expected = scores.Where(t => scores.Count(s => s <= t) >= needed).Min();
        Assert.Equal(expected, new ThresholdCalibration(scores).GetThreshold(rate));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(19)]
    [InlineData(200)]
    public void No_rate_below_one_in_n_plus_one_is_promised(int n)
    {
        var calibration = new ThresholdCalibration(Scores(n, n));
        Assert.Equal(1.0 / (n + 1), calibration.SmallestFalseRejectRate);
        Assert.Equal(calibration.Max, calibration.GetThreshold(calibration.SmallestFalseRejectRate));
        Assert.Equal(calibration.Max, calibration.GetThreshold(calibration.SmallestFalseRejectRate / 100));
    }

    [Property]
    public void A_new_normal_score_is_rejected_no_more_often_than_promised(
        PositiveInt count,
        PositiveInt permille,
        int seed
    )
    {
        var n = count.Get;
        var rate = (1 + permille.Get % 999) / 1000m;
        var scores = Scores(seed, n);
        var threshold = new ThresholdCalibration(scores).GetThreshold((double)rate);
        // Of n + 1 exchangeable scores the new one is each rank equally often: it exceeds the threshold in at most rate
        // (n + 1) of them.
        var above = scores.Count(s => s >= threshold);
        Assert.True(above <= Math.Max(1, rate * (n + 1)), $"{above} of {n} at rate {rate}");
        Assert.True(above > rate * (n + 1) - 1, $"only {above} of {n} at rate {rate}");
    }

    [Property]
    public void The_p_value_counts_the_scores_at_or_above(PositiveInt count, int seed, byte probe)
    {
        // Scores on a coarse lattice, so that ties are common.
        var scores = Scores(seed, count.Get).Select(s => Math.Round(4 * s)).ToArray();
        var score = probe / 16.0;
        Assert.Equal(
            (1.0 + scores.Count(s => s >= score)) / (scores.Length + 1),
            new ThresholdCalibration(scores).GetPValue(score)
        );
    }

    [Property]
    public void Thresholds_fall_with_the_rate_and_p_values_with_the_score(PositiveInt count, int seed)
    {
        var calibration = new ThresholdCalibration(Scores(seed, count.Get));
        var thresholds = Enumerable.Range(1, 99).Select(percent => calibration.GetThreshold(percent / 100.0)).ToArray();
        var pValues = Enumerable.Range(0, 50).Select(i => calibration.GetPValue(i * 0.1)).ToArray();
        Assert.Equal(thresholds.OrderDescending(), thresholds);
        Assert.Equal(pValues.OrderDescending(), pValues);
        Assert.Equal(1, calibration.GetPValue(double.NegativeInfinity));
        Assert.Equal(calibration.SmallestFalseRejectRate, calibration.GetPValue(double.PositiveInfinity));
    }

    [Property]
    public void A_score_above_the_threshold_has_a_p_value_within_the_rate(PositiveInt count, int seed)
    {
        var calibration = new ThresholdCalibration(Scores(seed, count.Get));
        foreach (var rate in new[] { 0.01, 0.05, 0.1, 0.5 })
        {
            if (rate < calibration.SmallestFalseRejectRate)
                continue;
            Assert.InRange(calibration.GetPValue(Math.BitIncrement(calibration.GetThreshold(rate))), 0, rate + 1e-12);
        }
    }

    [Theory]
    [InlineData(new double[] { 3 }, 3)]
    [InlineData(new double[] { 3, 1 }, 2)]
    [InlineData(new double[] { 9, 1, 2 }, 2)]
    [InlineData(new double[] { 9, 1, 2, 4 }, 3)]
    public void The_median_is_the_middle(double[] scores, double median)
    {
        var calibration = new ThresholdCalibration(scores);
        Assert.Equal(scores, calibration.Scores);
        Assert.Equal((scores.Min(), median, scores.Max()), (calibration.Min, calibration.Median, calibration.Max));
    }

    [Fact]
    public void Scores_that_stand_far_out_are_listed_the_farthest_first()
    {
        var scores = Scores(5, 40);
        scores[7] = 80;
        scores[30] = 200;
        var outliers = new ThresholdCalibration(scores).FindOutliers();
        Assert.Equal([new TrainingOutlier(30, 200, 1 / 40.0), new TrainingOutlier(7, 80, 2 / 40.0)], outliers);
    }

    [Fact]
    public void Ordinary_scores_hold_hardly_any_outliers() =>
        Assert.InRange(
            Enumerable.Range(0, 50).Sum(seed => new ThresholdCalibration(Scores(seed, 60)).FindOutliers().Count),
            0,
            3
        );

    [Theory]
    [InlineData(new double[] { 1, 1.1, 100 })]
    [InlineData(new double[] { 0, 0, 0, 0, 0 })]
    [InlineData(new double[] { 5, 5, 5, 5 })]
    public void Too_few_scores_or_equal_ones_hold_no_outliers(double[] scores) =>
        Assert.Empty(new ThresholdCalibration(scores).FindOutliers());

    [Theory]
    [InlineData(new double[] { 7, 7, 7, 7, 7, 7 }, 0.01, 1 / 7.0)]
    [InlineData(new double[] { 1, 2, 3, 3, 3, 4, 5, 6, 7 }, 0.5, 0.5)]
    [InlineData(new double[] { 0, 0, 0, 0, 0, 0 }, 0.01, 1 / 7.0)]
    public void A_threshold_among_equal_scores_rejects_none_of_them(double[] scores, double rate, double promised)
    {
        var calibration = new ThresholdCalibration(scores);
        var threshold = calibration.GetThreshold(rate);
        Assert.Equal(promised, calibration.GetFalseRejectRate(threshold), 12);
        Assert.True(scores.Count(score => score >= threshold) <= promised * (scores.Length + 1) - 1);
        // As the service sends it, and as a client that rounds to single precision may keep it.
        Assert.Equal(threshold, JsonSerializer.Deserialize<double>(JsonSerializer.Serialize(threshold)));
    }

    [Fact]
    public void A_threshold_by_hand_on_equal_scores_counts_all_of_them() =>
        Assert.Equal(5 / 7.0, new ThresholdCalibration([1, 2, 3, 3, 3, 4]).GetFalseRejectRate(3), 12);

    [Fact]
    public void Rounding_errors_of_equal_images_are_below_every_threshold()
    {
        var calibration = new ThresholdCalibration([0, 1e-6, 3.6e-6]);
        Assert.All([0.001, 0.3, 0.9], rate => Assert.True(calibration.GetThreshold(rate) > 1e-5));
    }

    [Fact]
    public void Scores_that_do_not_count_change_nothing_but_the_list()
    {
        var scores = Scores(3, 30);
        var counted = new ThresholdCalibration([.. scores.Take(5), .. scores.Skip(7)]);
        var calibration = new ThresholdCalibration(scores, [6, 5]);
        Assert.Equal(scores, calibration.Scores);
        Assert.Equal([5, 6], calibration.Uncounted);
        Assert.Equal(28, calibration.Count);
        Assert.Equal(counted.SmallestFalseRejectRate, calibration.SmallestFalseRejectRate);
        foreach (var rate in new[] { 0.01, 0.1, 0.5 })
            Assert.Equal(counted.GetThreshold(rate), calibration.GetThreshold(rate));
        Assert.Equal(counted.GetPValue(3), calibration.GetPValue(3));
        Assert.Throws<ArgumentException>(() => new ThresholdCalibration([1, 2], [0, 1]));
    }

    [Theory]
    [InlineData(new double[0])]
    [InlineData(new[] { 1, double.NaN })]
    [InlineData(new[] { double.PositiveInfinity })]
    public void Scores_that_cannot_calibrate_are_refused(double[] scores) =>
        Assert.Throws<ArgumentException>(() => new ThresholdCalibration(scores));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-0.1)]
    [InlineData(double.NaN)]
    public void A_rate_outside_0_to_1_is_refused(double rate) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ThresholdCalibration([1]).GetThreshold(rate));

    /// <summary>Distinct positive scores, spread as leave-one-out scores are.</summary>
    private static double[] Scores(int seed, int n) =>
        [.. RandomEmbeddings.Normals(new Random(seed), n).Select(z => 3 * Math.Exp(0.15 * z))];
}
