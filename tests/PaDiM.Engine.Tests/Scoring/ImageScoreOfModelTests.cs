using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Scoring;
using PaDiM.Engine.Tests.Support;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Heatmaps;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Engine.Tests.Scoring;

public sealed class ImageScoreOfModelTests
{
    private static readonly FitSettings Top = Fits.Settings with
    {
        LocalAverage = true,
        ImageScore = ImageScoreMethod.Top,
    };

    [Fact]
    public void Leave_one_out_scores_are_those_of_a_model_without_the_image()
    {
        using var fits = new Fits();
        var parts = fits.Parts(0, 30);
        var model = fits.Run(parts, settings: Top);
        foreach (var seed in new[] { 3, 17 })
        {
            var image = SyntheticParts.Good(seed, 72).ToBmp();
            var scorer = new ModelScorer(fits.Run([.. parts.Where((_, i) => i != seed)], settings: Top), Fits.Tiny);
            var score = scorer.ComputeScore(TestDecoder.Image(image), OnThreadPool.Context);
            var index = model.TrainingImages.ToList().IndexOf(parts[seed].Sha256);
            Assert.Equal(1, model.Calibration.Scores[index] / score, 0.01);
        }
    }

    [Fact]
    public void A_model_that_scores_by_the_highest_pixels_passes_its_own_test()
    {
        using var fits = new Fits();
        var scorer = new ModelScorer(Fits.Reread(fits.Run(fits.Parts(0, 12), settings: Top)), Fits.Tiny);
        Assert.Null(SelfTest.Validate(scorer, OnThreadPool.Context));
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Regions_masks_and_outlines_are_drawn_for_anomalous_images_and_for_no_others(bool masked)
    {
        var made = new ExportCase(Top, masked: masked);
        var random = new Random(5);
        var size = made.Prepared;
        var ignored = made.Model.Ignored;
        var contradicted = 0;
        for (var i = 0; i < 60; i++)
        {
            var distances = new AnomalyMap(
                made.Model.Distribution.Grid,
                [
                    .. made
                        .Model.Distribution.Mean.ToArray()[..made.Model.Distribution.Grid.Positions]
                        .Select(_ => MathF.Pow(random.NextSingle(), 4)),
                ]
            );
            var frame = made.Scorer.Preprocessing.CreateFrame(size);
            var map = made.Scorer.ToPixels(new RawMap.Patches(distances), frame, default);
            var max = map.Max();
            var score = made.Scorer.GetScore(map, frame);
            Assert.InRange(score, 0, max);
            foreach (
                var threshold in new double[]
                {
                    score,
                    MathF.BitIncrement(score),
                    MathF.BitDecrement(score),
                    max,
                    0.9 * max,
                }
            )
            {
                var isAnomalous = score >= threshold;
                contradicted += !isAnomalous && max >= threshold ? 1 : 0;
                var level = ModelScorer.GetDefectLevel(score, threshold);
                var defects = made.Scorer.FindDefects(map, level, new OriginalMapper(frame), contours: true);
                Assert.Equal(isAnomalous, defects.Regions.Count > 0);
                Assert.Equal(isAnomalous, defects.AreaPercent > 0);
                var mask = new OriginalMapper(frame).ToOriginalMask(map, level);
                Assert.Equal(isAnomalous, mask.Contains((byte)255));
                Assert.DoesNotContain(
                    mask.Index(),
                    pixel => pixel.Item != 0 && ignored is not null && ignored[pixel.Index]
                );
                if (i > 4)
                    continue;
                // Black under the colours: only an outline is white.
                var drawn = TestDecoder.Image(
                    HeatmapRenderer.Render(
                        new PaDiM.Imaging.RgbImage(size.Width, size.Height, new byte[3 * size.Positions]),
                        map,
                        threshold,
                        isAnomalous,
                        HeatmapStyle.Overlay
                    )
                );
                Assert.Equal(
                    isAnomalous,
                    drawn.Pixels.Chunk(3).Any(pixel => pixel.AsSpan().SequenceEqual(new byte[] { 255, 255, 255 }))
                );
            }
        }
        // Without the rule, many normal images would have had marks.
        Assert.InRange(contradicted, 50, 300);
    }
}
