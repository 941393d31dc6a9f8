using PaDiM.Core.Evaluation;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Core.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Core.Tests.Evaluation;

/// <summary>Compares metrics with scikit-learn's independent implementation, on scores with many ties.</summary>
public sealed class ScikitLearnTests
{
    private const double Tolerance = 1e-9;

    /// <summary>Number of items, share of anomalous items, and number of distinct scores.</summary>
    public static TheoryData<int, int, double, int> Draws =>
        new()
        {
            { 1, 300, 0.4, 20 },
            { 2, 300, 0.4, 5 },
            { 3, 1000, 0.1, 50 },
            { 4, 1000, 0.9, 3 },
            { 5, 200, 0.5, 1_000_000 },
            // All tied, and one item against all others, on either side.
            { 6, 100, 0.3, 1 },
            { 7, 2000, 0.0005, 40 },
            { 8, 2000, 0.9995, 40 },
        };

    [Theory]
    [MemberData(nameof(Draws))]
    public void Image_metrics_are_those_of_scikit_learn(int seed, int items, double share, int levels)
    {
        Assert.SkipUnless(ScikitLearn.IsPresent, ScikitLearn.Missing);
        var (scores, anomalous) = Draw(new Random(seed), items, share, levels);
        var expected = ScikitLearn.Run(
            """
            from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score
            precision, recall, _ = precision_recall_curve(given["anomalous"], given["scores"])
            both = precision + recall
            f1 = 2 * precision * recall / np.where(both == 0, 1, both)
            result = [roc_auc_score(given["anomalous"], given["scores"]), average_precision_score(given["anomalous"], given["scores"]), f1.max()]
            """,
            new { scores, anomalous }
        );
        var metrics = ImageMetrics.Compute(scores, anomalous);
        Close.Relative(expected, [metrics.Auroc, metrics.AveragePrecision, metrics.F1Max], Tolerance);
    }

    [Theory]
    [MemberData(nameof(Draws))]
    public void Pixel_auroc_is_that_of_scikit_learn(int seed, int items, double share, int levels)
    {
        Assert.SkipUnless(ScikitLearn.IsPresent, ScikitLearn.Missing);
        var random = new Random(-seed);
        var grid = new Grid(10, items / 10);
        var images = Enumerable.Range(0, 3).Select(_ => Draw(random, grid.Positions, share, levels)).ToArray();
        var expected = ScikitLearn.Run(
            """
            from sklearn.metrics import roc_auc_score
            result = roc_auc_score(np.ravel(given["masks"]), np.ravel(given["scores"]))
            """,
            new { scores = images.Select(image => image.Scores), masks = images.Select(image => image.Anomalous) }
        );
        var metrics = PixelMetrics.Compute([
            .. images.Select(image => new ScoredPixels(new AnomalyMap(grid, image.Scores), image.Anomalous)),
        ]);
        Close.Relative(expected, [metrics.Auroc], Tolerance);
    }

    /// <summary>Anomalous items score higher on average; both classes have at least one item.</summary>
    private static (float[] Scores, bool[] Anomalous) Draw(Random random, int items, double share, int levels)
    {
        bool[] anomalous =
        [
            .. Enumerable.Range(0, items).Select(i => i != 0 && (i == 1 || random.NextDouble() < share)),
        ];
        float[] scores =
        [
            .. anomalous.Select(a => MathF.Floor((random.NextSingle() * 0.7f + (a ? 0.3f : 0)) * levels) / 8),
        ];
        return (scores, anomalous);
    }
}
