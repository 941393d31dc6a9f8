using PaDiM.Core.Calibration;

namespace PaDiM.Core.Tests.Calibration;

public sealed class DriftWindowTests
{
    [Theory]
    [InlineData(12)]
    [InlineData(50)]
    [InlineData(200)]
    public void Good_parts_alone_are_no_drift(int calibrated) =>
        Assert.InRange(Verdicts(calibrated, shift: 0, defects: 0), 0, 2);

    [Theory]
    [InlineData(50)]
    [InlineData(200)]
    public void Some_defective_parts_among_them_are_no_drift(int calibrated) =>
        Assert.InRange(Verdicts(calibrated, shift: 0, defects: 0.08), 0, 2);

    [Theory]
    [InlineData(100, 1.0)]
    [InlineData(100, -1.0)]
    [InlineData(200, 0.7)]
    [InlineData(200, -0.7)]
    [InlineData(100, 5.0)]
    public void Scores_that_have_moved_are_drift_in_their_direction(int calibrated, double shift)
    {
        var seen = 0;
        for (var seed = 0; seed < 100; seed++)
        {
            var drift = Run(new Random(seed), calibrated, 500, shift, defects: 0.03).Measure();
            if (shift > 0 ? drift is { IsHigher: true, IsLower: false } : drift is { IsHigher: false, IsLower: true })
                seen++;
        }
        Assert.InRange(seen, 95, 100);
    }

    [Fact]
    public void Defects_beyond_what_a_line_makes_are_told_however_the_rest_looks() =>
        Assert.True(Run(new Random(1), 200, 500, 0, defects: 0.4).Measure().IsHigher);

    [Fact]
    public void What_is_told_goes_when_the_images_go()
    {
        var random = new Random(1);
        var window = default(DriftWindow);
        var calibration = Calibration(random, 100);
        window = new DriftWindow(100, 200);
        for (var i = 0; i < 200; i++)
            window.Add(calibration.GetPValue(Score(random, 2)));
        Assert.True(window.Measure().IsHigher);
        for (var i = 0; i < 200; i++)
            window.Add(calibration.GetPValue(Score(random, 0)));
        var drift = window.Measure();
        Assert.Equal((200, false, false), (drift.Images, drift.IsHigher, drift.IsLower));
    }

    [Fact]
    public void Few_images_give_no_verdict()
    {
        var window = new DriftWindow(100);
        Assert.Equal(new ScoreDrift(0, 0, 0, 0, 1, false, false), window.Measure());
        for (var i = 0; i < DriftWindow.MinImages - 1; i++)
            window.Add(1.0 / 101);
        Assert.Equal((1.0, false), (window.Measure().LowShare, window.Measure().IsHigher));
        window.Add(1.0 / 101);
        Assert.True(window.Measure().IsHigher);
    }

    /// <summary>Slow reference: compares both distribution functions at every score of either sample.</summary>
    [Theory]
    [InlineData(7)]
    [InlineData(19)]
    [InlineData(120)]
    public void It_is_the_two_sample_statistic_of_the_scores_below_the_tail(int calibrated)
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            var calibration = Calibration(random, calibrated);
            var window = new DriftWindow(calibrated, 300);
            var scores = Enumerable.Range(0, 300).Select(_ => Score(random, 0.4)).ToArray();
            foreach (var score in scores)
                window.Add(calibration.GetPValue(score));

            // The tail takes as many of the largest leave-one-out scores as 5 % are, and the images above the last of
            // them.
            var tail = (int)Math.Floor(0.05 * (calibrated + 1));
            var body = calibration.Scores.OrderDescending().Skip(tail).ToArray();
            var images = scores.Where(score => calibration.GetPValue(score) > 0.05).ToArray();
            var steps = body.Concat(images).ToArray();
            double Above(double[] sample, double x) => sample.Count(value => value > x) / (double)sample.Length;
            var drift = window.Measure();
            Assert.Equal(steps.Max(x => Math.Max(0, Above(images, x) - Above(body, x))), drift.Higher, 1e-12);
            Assert.Equal(steps.Max(x => Math.Max(0, Above(body, x) - Above(images, x))), drift.Lower, 1e-12);
            Assert.Equal(1 - images.Length / 300.0, drift.LowShare, 1e-12);
        }
    }

    /// <summary>Counts the models, of 300, that have a verdict at any time while they score 1500 images.</summary>
    private static int Verdicts(int calibrated, double shift, double defects)
    {
        var verdicts = 0;
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var calibration = Calibration(random, calibrated);
            var window = new DriftWindow(calibrated);
            var told = false;
            for (var i = 0; i < 1500 && !told; i++)
            {
                window.Add(
                    calibration.GetPValue(random.NextDouble() < defects ? Score(random, 6) : Score(random, shift))
                );
                if (i % 10 == 0)
                    told = window.Measure() is { IsHigher: true } or { IsLower: true };
            }
            if (told)
                verdicts++;
        }
        return verdicts;
    }

    private static DriftWindow Run(Random random, int calibrated, int images, double shift, double defects)
    {
        var calibration = Calibration(random, calibrated);
        var window = new DriftWindow(calibrated);
        for (var i = 0; i < images; i++)
            window.Add(calibration.GetPValue(random.NextDouble() < defects ? Score(random, 6) : Score(random, shift)));
        return window;
    }

    private static ThresholdCalibration Calibration(Random random, int count) =>
        new([.. Enumerable.Range(0, count).Select(_ => Score(random, 0))]);

    /// <summary>Draws log-normal scores, shifted by a number of standard deviations of their logarithm.</summary>
    private static double Score(Random random, double shift) =>
        Math.Exp(
            2
                + 0.15
                    * (
                        shift
                        + Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()))
                            * Math.Cos(2 * Math.PI * random.NextDouble())
                    )
        );
}
