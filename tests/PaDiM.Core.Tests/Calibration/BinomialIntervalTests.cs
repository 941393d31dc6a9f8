using PaDiM.Core.Calibration;

namespace PaDiM.Core.Tests.Calibration;

public class BinomialIntervalTests
{
    /// <summary>Values of R, where the tails have no closed form.</summary>
    [Theory]
    [InlineData(1, 10, 0.00252857854446178, 0.44501611702871)]
    [InlineData(5, 10, 0.187086028447398, 0.812913971552602)]
    public void Known_intervals_are_met(int successes, int trials, double low, double high)
    {
        var interval = BinomialInterval.Create(successes, trials);
        Assert.Equal((double)successes / trials, interval.Estimate);
        Assert.Equal(low, interval.Low, 1e-10);
        Assert.Equal(high, interval.High, 1e-10);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(14)]
    [InlineData(1000)]
    [InlineData(1_000_000)]
    public void None_and_all_have_a_closed_form(long trials)
    {
        var none = BinomialInterval.Create(0, trials);
        Assert.Equal((0.0, 0.0), (none.Estimate, none.Low));
        Assert.Equal(1 - Math.Pow(0.025, 1.0 / trials), none.High, 1e-9);
        var all = BinomialInterval.Create(trials, trials);
        Assert.Equal((1.0, 1.0), (all.Estimate, all.High));
        Assert.Equal(Math.Pow(0.025, 1.0 / trials), all.Low, 1e-9);
    }

    [Fact]
    public void At_both_ends_the_tail_of_the_distribution_is_what_was_asked_for()
    {
        foreach (var confidence in new[] { 0.8, 0.95, 0.999 })
        foreach (var (successes, trials) in new[] { (1, 3), (2, 60), (30, 60), (59, 60), (17, 400) })
        {
            var interval = BinomialInterval.Create(successes, trials, confidence);
            Assert.Equal((1 - confidence) / 2, 1 - Cumulate(successes - 1, trials, interval.Low), 1e-9);
            Assert.Equal((1 - confidence) / 2, Cumulate(successes, trials, interval.High), 1e-9);
        }
    }

    [Fact]
    public void Many_trials_give_the_normal_interval()
    {
        var interval = BinomialInterval.Create(100_000, 10_000_000);
        var half = 1.959964 * Math.Sqrt(0.01 * 0.99 / 1e7);
        Assert.Equal(0.01 - half, interval.Low, 1e-6);
        Assert.Equal(0.01 + half, interval.High, 1e-6);
    }

    [Theory]
    [InlineData(0, 0, 0.95)]
    [InlineData(-1, 5, 0.95)]
    [InlineData(6, 5, 0.95)]
    [InlineData(1, 5, 1)]
    [InlineData(1, 5, double.NaN)]
    public void What_is_no_share_is_refused(long successes, long trials, double confidence) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => BinomialInterval.Create(successes, trials, confidence));

    /// <summary>P(X at most k), summed up.</summary>
    private static double Cumulate(int k, int trials, double share)
    {
        var term = Math.Pow(1 - share, trials);
        var sum = term;
        for (var i = 1; i <= k; i++)
            sum += term *= (trials - i + 1.0) / i * share / (1 - share);
        return sum;
    }
}
