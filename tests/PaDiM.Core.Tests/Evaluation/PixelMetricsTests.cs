using FsCheck.Xunit;
using PaDiM.Core.Evaluation;
using PaDiM.Core.Geometry;
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
        var metrics = PixelMetrics.Compute([
            .. vectors.Scores.Zip(
                vectors.Masks,
                (scores, mask) => Map(size, [.. scores.Select(s => (float)s)], [.. mask.Select(m => m != 0)])
            ),
        ]);
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
        // The area tends to 1/6 with many rows; single pixels leave an error of about a millionth.
        Assert.Equal(1.0 / 6, Passes([Map(size, scores, mask)]).Build(1.0 / 3).All.GetAuPro(1.0 / 3), 1e-5);
    }

    [Property(MaxTest = 50)]
    public void They_equal_the_definition_however_the_pixels_are_grouped(int seed)
    {
        var random = new Random(seed);
        var size = new Grid(6, 7);
        var images = Enumerable
            .Range(0, 3)
            .Select(_ =>
                (
                    Scores: Enumerable
                        .Range(0, size.Positions)
                        .Select(_ => MathF.Round(random.NextSingle() * 20) / 4)
                        .ToArray(),
                    Mask: Enumerable
                        .Range(0, size.Positions)
                        .Select(p => p == 0 || random.NextDouble() < 0.25)
                        .ToArray()
                )
            )
            .ToArray();
        var maps = images.Select(image => Map(size, image.Scores, image.Mask)).ToArray();
        var wide = ReferencePro.AuPro(images, size.Width, 0.3);
        var narrow = ReferencePro.AuPro(images, size.Width, 0.05);
        // Scores per pass: one, seven, all.
        foreach (var scores in new[] { 1, 7, 1000 })
        {
            var curve = Passes(maps, scores * PixelTally.BytesPerRank).Build(0.3, 0.05).All;
            Assert.Equal(wide, curve.GetAuPro(0.3), 1e-9);
            Assert.Equal(narrow, curve.GetAuPro(0.05), 1e-9);
            Assert.Equal(
                Auroc.Compute([.. images.SelectMany(i => i.Scores)], [.. images.SelectMany(i => i.Mask)]),
                curve.GetAuroc(),
                1e-12
            );
        }
    }

    [Property(MaxTest = 50)]
    public void Each_kind_of_defect_is_measured_with_all_normal_images_as_if_it_were_the_only_one(int seed)
    {
        var random = new Random(seed);
        var size = new Grid(9, 8);
        string?[] kinds = ["scratch", null, "stain", "scratch", null, "dent"];
        // Scores from 0 to large ones, over many powers of two: they are on different pages of the table.
        var images = kinds
            .Select(kind =>
                (
                    Kind: kind,
                    Map: Map(
                        size,
                        [
                            .. Enumerable
                                .Range(0, size.Positions)
                                .Select(_ =>
                                    random.Next(4) == 0 ? 0 : MathF.ScaleB(random.Next(1, 4), random.Next(-30, 30))
                                ),
                        ],
                        [
                            .. Enumerable
                                .Range(0, size.Positions)
                                .Select(_ => kind is not null && random.NextDouble() < 0.3),
                        ]
                    )
                )
            )
            .ToArray();
        var labelled = images.Select(image => new LabelledMap(image.Kind, () => image.Map)).ToArray();
        var together = PixelMetrics.ComputeByDefect(labelled);
        Assert.Equal(["dent", "scratch", "stain"], together.PerDefect.Keys.Order(StringComparer.Ordinal));
        Same(PixelMetrics.Compute([.. images.Select(image => image.Map)]), together.All);
        foreach (var (kind, metrics) in together.PerDefect)
            Same(
                PixelMetrics.Compute([
                    .. images.Where(image => image.Kind is null || image.Kind == kind).Select(image => image.Map),
                ]),
                metrics
            );
        Assert.Equal(
            together.All,
            PixelMetrics.ComputeByDefect(labelled, new ParallelOptions { MaxDegreeOfParallelism = 1 }).All
        );
    }

    [Fact]
    public void They_stop_when_told_to()
    {
        using var stop = new CancellationTokenSource();
        var map = Map(new Grid(1, 2), [1, 2], [false, true]);
        var drawn = 0;
        var maps = Enumerable.Repeat(new LabelledMap(null, Draw), 1000).ToArray();
        Assert.ThrowsAny<OperationCanceledException>(() =>
            PixelMetrics.ComputeByDefect(
                maps,
                new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = stop.Token }
            )
        );
        // Each thread may have started one map.
        Assert.InRange(drawn, 3, 3 + 4);

        ScoredPixels Draw()
        {
            var which = Interlocked.Increment(ref drawn);
            if (which == 3)
                stop.Cancel();
            if (which > 3)
                stop.Token.WaitHandle.WaitOne();
            return map;
        }
    }

    [Theory]
    [InlineData(-1f)]
    [InlineData(float.NaN)]
    public void Scores_that_have_no_rank_are_refused(float score) =>
        Assert.Throws<ArgumentException>("map", () => Map(new Grid(1, 2), [1, score], [false, true]));

    [Fact]
    public void Without_defects_they_are_not_numbers()
    {
        var metrics = PixelMetrics.Compute([new ScoredPixels(new AnomalyMap(new Grid(1, 2), [1, 2]), null)]);
        Assert.True(double.IsNaN(metrics.Auroc) && double.IsNaN(metrics.AuPro30) && double.IsNaN(metrics.AuPro05));
    }

    private static ScoredPixels Map(Grid size, float[] scores, bool[] mask) => new(new AnomalyMap(size, scores), mask);

    private static PixelCurveBuilder Passes(ScoredPixels[] maps, long memory = 1 << 20) =>
        new([.. maps.Select(map => new LabelledMap(null, () => map))], new ParallelOptions(), memory);

    private static void Same(PixelMetrics expected, PixelMetrics actual)
    {
        Assert.Equal(expected.Auroc, actual.Auroc, 1e-12);
        Assert.Equal(expected.AuPro30, actual.AuPro30, 1e-12);
        Assert.Equal(expected.AuPro05, actual.AuPro05, 1e-12);
    }
}
