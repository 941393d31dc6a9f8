using FsCheck.Xunit;
using PaDiM.Core.Evaluation;

namespace PaDiM.Core.Tests.Evaluation;

public sealed class AurocTests
{
    [Fact]
    public void It_agrees_with_the_check_vectors()
    {
        var metrics = CheckVectors.Load().Metrics;
        float[] scores = [.. metrics.Scores.SelectMany(s => s).Select(s => (float)s)];
        bool[] anomalous = [.. metrics.Masks.SelectMany(m => m).Select(m => m != 0)];
        Assert.Equal(metrics.PixelAuroc, Auroc.Compute(scores, anomalous), 1e-12);
    }

    [Property]
    public void It_counts_the_pairs_that_are_ranked_right_and_ties_by_half((byte Score, bool Anomalous)[] items)
    {
        // Few different scores, so that there are many ties.
        float[] scores = [.. items.Select(item => item.Score % 5f)];
        bool[] anomalous = [.. items.Select(item => item.Anomalous)];
        var slow = (
            from p in Enumerable.Range(0, scores.Length)
            from n in Enumerable.Range(0, scores.Length)
            where anomalous[p] && !anomalous[n]
            select scores[p] > scores[n] ? 1
            : scores[p] == scores[n] ? 0.5
            : 0
        )
            .DefaultIfEmpty(double.NaN)
            .Average();
        Assert.Equal(slow, Auroc.Compute(scores, anomalous), 1e-12);
    }

    [Fact]
    public void One_class_alone_has_no_area() => Assert.True(double.IsNaN(Auroc.Compute([1, 2], [true, true])));
}
