using FsCheck.Xunit;
using PaDiM.Core.Embedding;
using PaDiM.Core.Evaluation;
using PaDiM.Core.Scoring;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Core.Tests.Evaluation;

public sealed class PixelMetricsTests
{
    [Fact]
    public void They_agree_with_the_check_vectors()
    {
        var vectors = CheckVectors.Load().Metrics;
        var size = new Grid(vectors.Rows, vectors.Cols);
        var metrics = PixelMetrics.Of([.. vectors.Scores.Zip(vectors.Masks, (scores, mask) => Map(size, [.. scores.Select(s => (float)s)], [.. mask.Select(m => m != 0)]))]);
        Assert.Equal(vectors.AuPro30, metrics.AuPro30, 1e-9);
        Assert.Equal(vectors.AuPro05, metrics.AuPro05, 1e-9);
        Assert.Equal(vectors.PixelAuroc, metrics.Auroc, 1e-9);
    }

    [Theory]
    [InlineData(0, 0, 0, 1, 0, 0, 0)]
    [InlineData(0, 1, 0, 1, 0, 1, 0)]
    public void Rising_scores_over_stripes_give_a_sixth(params int[] row)
    {
        var size = new Grid(400, row.Length);
        float[] scores = [.. Enumerable.Range(0, size.Positions).Select(i => i / (float)size.Positions)];
        bool[] mask = [.. Enumerable.Repeat(row, size.Height).SelectMany(r => r).Select(m => m != 0)];
        // A sixth in the limit of many rows; the steps of single pixels leave a millionth.
        Assert.Equal(1.0 / 6, PixelMetrics.Walk([Map(size, scores, mask)]).AuPro(1.0 / 3), 1e-5);
    }

    [Property(MaxTest = 50)]
    public void They_equal_the_definition_however_the_pixels_are_grouped(int seed)
    {
        var random = new Random(seed);
        var size = new Grid(6, 7);
        var images = Enumerable.Range(0, 3).Select(_ => (
            Scores: Enumerable.Range(0, size.Positions).Select(_ => MathF.Round(random.NextSingle() * 20) / 4).ToArray(),
            Mask: Enumerable.Range(0, size.Positions).Select(p => p == 0 || random.NextDouble() < 0.25).ToArray())).ToArray();
        var maps = images.Select(image => Map(size, image.Scores, image.Mask)).ToArray();
        var (wide, narrow) = (ReferencePro.AuPro(images, size.Width, 0.3), ReferencePro.AuPro(images, size.Width, 0.05));
        foreach (var group in new[] { 1, 13, 1000 })
        {
            var metrics = PixelMetrics.Of(maps, group);
            Assert.Equal(wide, metrics.AuPro30, 1e-9);
            Assert.Equal(narrow, metrics.AuPro05, 1e-9);
            Assert.Equal(Auroc.Of([.. images.SelectMany(i => i.Scores)], [.. images.SelectMany(i => i.Mask)]), metrics.Auroc, 1e-12);
        }
    }

    [Fact]
    public void Without_defects_they_are_not_numbers()
    {
        var metrics = PixelMetrics.Of([new ScoredPixels(new AnomalyMap(new Grid(1, 2), [1, 2]), null)]);
        Assert.True(double.IsNaN(metrics.Auroc) && double.IsNaN(metrics.AuPro30) && double.IsNaN(metrics.AuPro05));
    }

    private static ScoredPixels Map(Grid size, float[] scores, bool[] mask) => new(new AnomalyMap(size, scores), mask);
}
