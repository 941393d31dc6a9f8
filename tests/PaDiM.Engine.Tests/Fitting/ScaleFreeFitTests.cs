using PaDiM.Core.Models;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Scoring;
using PaDiM.Engine.Tests.Support;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Engine.Tests.Fitting;

/// <summary>Fits in which each position is compared with all positions.</summary>
public sealed class ScaleFreeFitTests
{
    private static readonly FitSettings Settings = Fits.Settings with { RelativeRidge = 0.5, QuietExponent = 1.5 };

    [Theory]
    [InlineData(3, ShrinkageMethod.None, false)]
    [InlineData(6, ShrinkageMethod.None, true)]
    [InlineData(6, ShrinkageMethod.Oas, false)]
    public void A_calibration_score_is_that_of_a_fit_without_the_image(
        int count,
        ShrinkageMethod shrinkage,
        bool masked
    )
    {
        using var fits = new Fits();
        var settings = Settings with { Shrinkage = shrinkage };
        var ignored = masked ? Ignored() : null;
        var files = Enumerable
            .Range(0, count)
            .Select(seed => SyntheticParts.Good(seed, 72).ToBmp())
            .ToDictionary(file => fits.Image(file).Sha256);
        var model = fits.Run([.. files.Values.Select(fits.Image)], settings: settings, ignored: ignored);
        Assert.All(
            model.TrainingImages.Zip(model.Calibration.Scores),
            image =>
            {
                var others = fits.Run(
                    [.. files.Where(file => file.Key != image.First).Select(file => fits.Image(file.Value))],
                    settings: settings,
                    ignored: ignored
                );
                Assert.Equal(
                    1,
                    image.Second
                        / new ModelScorer(others, Fits.Tiny).Score(TestDecoder.Image(files[image.First])).Max(),
                    1e-3
                );
            }
        );
    }

    [Theory]
    [InlineData(ShrinkageMethod.None)]
    [InlineData(ShrinkageMethod.Auto)]
    public void Added_and_removed_images_equal_a_fit_from_nothing(ShrinkageMethod shrinkage)
    {
        using var fits = new Fits();
        var settings = Settings with { Shrinkage = shrinkage };
        // From 13 to 18 images, past the number that needs no shrinkage.
        var prior = fits.Run(fits.Parts(0, 13), settings: settings);
        fits.Reads = 0;
        var updated = fits.Run(fits.Parts(2, 18), fits.PriorOf(prior), settings);
        Assert.Equal(7, fits.Reads);
        using var other = new Fits();
        var scratch = other.Run(fits.Parts(2, 18), settings: settings);
        Assert.Equal(scratch.Shrinkage, updated.Shrinkage);
        for (var i = 0; i < scratch.Calibration.Scores.Count; i++)
            Assert.Equal(1, updated.Calibration.Scores[i] / scratch.Calibration.Scores[i], 1e-4);
        Assert.Equal(1, Score(updated) / Score(scratch), 1e-4);
    }

    [Fact]
    public void The_number_of_images_chooses_the_shrinkage_and_the_model_states_it()
    {
        using var fits = new Fits();
        var auto = Settings with { Shrinkage = ShrinkageMethod.Auto };
        foreach (var (count, method) in new[] { (15, ShrinkageMethod.Oas), (16, ShrinkageMethod.None) })
        {
            var chosen = Fits.Reread(fits.Run(fits.Parts(0, count), settings: auto));
            var named = fits.Run(fits.Parts(0, count), settings: Settings with { Shrinkage = method });
            Assert.Equal((method, method), (chosen.Shrinkage, named.Shrinkage));
            Assert.Equal(ShrinkageMethod.Auto, chosen.Settings.Shrinkage);
            Assert.Equal(named.Calibration.Scores, chosen.Calibration.Scores);
            Assert.Equal(Score(named), Score(chosen));
        }
    }

    [Fact]
    public void The_paper_stays_as_it_is()
    {
        var paper = FitSettings.Paper;
        Assert.Equal((0.01, 0, 0), (paper.Epsilon, paper.RelativeRidge, paper.QuietExponent));
        Assert.Equal((4, ShrinkageMethod.None), (paper.BlurSigma, paper.Shrinkage));
    }

    [Fact]
    public void A_defective_part_scores_above_every_good_one()
    {
        using var fits = new Fits();
        var model = Fits.Reread(fits.Run(fits.Parts(0, 30), settings: Settings));
        Assert.Equal((0.5, 1.5), (model.Settings.RelativeRidge, model.Settings.QuietExponent));
        var scorer = new ModelScorer(model, Fits.Tiny);
        Assert.Null(SelfTest.Validate(scorer, OnThreadPool.Context));
        var good = Enumerable
            .Range(100, 5)
            .Max(seed => scorer.Score(TestDecoder.Image(SyntheticParts.Good(seed, 72).ToBmp())).Max());
        Assert.True(Score(model) > good);
    }

    private static float Score(PadimModel model) =>
        new ModelScorer(model, Fits.Tiny)
            .Score(TestDecoder.Image(SyntheticParts.Defective(200, DefectKind.Scratch, 72).Image.ToBmp()))
            .Max();

    private static bool[] Ignored() =>
        [
            .. Enumerable
                .Range(0, Settings.ImageSize * Settings.ImageSize)
                .Select(i => i % Settings.ImageSize < Settings.ImageSize / 3),
        ];
}
