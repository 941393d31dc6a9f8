using FsCheck.Xunit;
using PaDiM.Core.Evaluation;

namespace PaDiM.Core.Tests.Evaluation;

public sealed class ImageMetricsTests
{
    [Property]
    public void Average_precision_and_the_best_F1_follow_from_every_threshold((byte Score, bool Anomalous)[] items)
    {
        if (!items.Any(item => item.Anomalous))
            return;
        float[] scores = [.. items.Select(item => item.Score % 7f)];
        bool[] anomalous = [.. items.Select(item => item.Anomalous)];
        var average = 0.0;
        var best = 0.0;
        var recall = 0.0;
        foreach (var threshold in scores.Distinct().OrderDescending())
        {
            var taken = scores.Count(s => s >= threshold);
            var hits = scores.Where((s, i) => s >= threshold && anomalous[i]).Count();
            var precision = (double)hits / taken;
            var reached = (double)hits / anomalous.Count(a => a);
            average += precision * (reached - recall);
            recall = reached;
            best = Math.Max(best, precision + reached == 0 ? 0 : 2 * precision * reached / (precision + reached));
        }
        var metrics = ImageMetrics.Compute(scores, anomalous);
        Assert.Equal(average, metrics.AveragePrecision, 1e-12);
        Assert.Equal(best, metrics.F1Max, 1e-12);
        Assert.Contains((float)metrics.F1MaxThreshold, scores);
    }

    [Fact]
    public void Perfect_scores_give_one_everywhere_and_the_threshold_between() =>
        Assert.Equal(new ImageMetrics(1, 1, 1, 3), ImageMetrics.Compute([1, 2, 3, 4], [false, false, true, true]));

    [Fact]
    public void Without_anomalous_images_nothing_can_be_measured()
    {
        var metrics = ImageMetrics.Compute([1, 2], [false, false]);
        Assert.True(
            double.IsNaN(metrics.Auroc) && double.IsNaN(metrics.AveragePrecision) && double.IsNaN(metrics.F1Max)
        );
    }
}
