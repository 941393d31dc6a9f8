using PaDiM.Core.Models;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Faults;
using PaDiM.Engine.Scoring;
using PaDiM.Engine.Tests.Support;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Engine.Tests.Fitting;

public sealed class ShrunkFitTests
{
    public static TheoryData<ShrinkageMethod, int> Cases { get; } =
        new()
        {
            { ShrinkageMethod.LedoitWolf, 2 },
            { ShrinkageMethod.LedoitWolf, 3 },
            { ShrinkageMethod.LedoitWolf, 6 },
            { ShrinkageMethod.LedoitWolf, 30 },
            { ShrinkageMethod.Oas, 2 },
            { ShrinkageMethod.Oas, 3 },
            { ShrinkageMethod.Oas, 6 },
            { ShrinkageMethod.Oas, 30 },
        };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Few_images_give_finite_scores_everywhere(ShrinkageMethod method, int count)
    {
        using var fits = new Fits();
        AssertFinite(fits.Run(fits.Parts(0, count), settings: Fits.Settings with { Shrinkage = method }), count);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Copies_of_one_image_are_too_few_images(ShrinkageMethod method, int count)
    {
        using var fits = new Fits();
        var images = Enumerable
            .Range(0, count)
            .Select(i =>
            {
                var file = SyntheticParts.Good(1, 72).ToBmp();
                // A reserved byte: another file with the same pixels.
                file[6] = (byte)i;
                return fits.Image(file);
            });
        var fault = Assert.Throws<UserFaultException>(() =>
            fits.Run([.. images], settings: Fits.Settings with { Shrinkage = method })
        );
        Assert.Equal("too_few_images", fault.Fault.Code);
    }

    [Theory]
    [InlineData(ShrinkageMethod.LedoitWolf, 3)]
    [InlineData(ShrinkageMethod.LedoitWolf, 6)]
    [InlineData(ShrinkageMethod.Oas, 3)]
    [InlineData(ShrinkageMethod.Oas, 6)]
    public void A_calibration_score_is_that_of_a_fit_without_the_image(ShrinkageMethod method, int count)
    {
        using var fits = new Fits();
        var settings = Fits.Settings with { Shrinkage = method };
        var files = Enumerable
            .Range(0, count)
            .Select(seed => SyntheticParts.Good(seed, 72).ToBmp())
            .ToDictionary(file => fits.Image(file).Sha256);
        var model = fits.Run([.. files.Values.Select(fits.Image)], settings: settings);
        Assert.All(
            model.TrainingImages.Zip(model.Calibration.Scores),
            image =>
            {
                using var without = new Fits();
                var scorer = new ModelScorer(
                    without.Run(
                        [.. files.Where(file => file.Key != image.First).Select(file => without.Image(file.Value))],
                        settings: settings
                    ),
                    Fits.Tiny
                );
                Assert.Equal(1, image.Second / scorer.Score(TestDecoder.Image(files[image.First])).Max(), 1e-3);
            }
        );
    }

    [Theory]
    [InlineData(ShrinkageMethod.LedoitWolf)]
    [InlineData(ShrinkageMethod.Oas)]
    public void So_it_is_with_more_images_than_dimensions(ShrinkageMethod method)
    {
        using var fits = new Fits();
        var settings = Fits.Settings with { Shrinkage = method };
        var files = Enumerable
            .Range(0, 30)
            .Select(seed => SyntheticParts.Good(seed, 72).ToBmp())
            .ToDictionary(file => fits.Image(file).Sha256);
        var model = fits.Run([.. files.Values.Select(fits.Image)], settings: settings);
        Assert.False(model.IsRankDeficient);
        var order = Enumerable.Range(0, 30).OrderBy(i => model.Calibration.Scores[i]).ToArray();
        foreach (var left in new[] { order[0], order[15], order[29] })
        {
            var others = fits.Run(
                [.. model.TrainingImages.Where((_, i) => i != left).Select(sha256 => fits.Image(files[sha256]))],
                settings: settings
            );
            Assert.Equal(
                1,
                model.Calibration.Scores[left]
                    / new ModelScorer(others, Fits.Tiny)
                        .Score(TestDecoder.Image(files[model.TrainingImages[left]]))
                        .Max(),
                1e-3
            );
        }
        // The same reduction: their embeddings are at hand.
        Assert.Equal(30, fits.Reads);
    }

    [Theory]
    [InlineData(ShrinkageMethod.LedoitWolf)]
    [InlineData(ShrinkageMethod.Oas)]
    public void Images_are_read_and_embedded_once_for_all_passes_and_for_every_shrinkage(ShrinkageMethod method)
    {
        using var fits = new Fits();
        var settings = Fits.Settings with { Shrinkage = method };
        var model = fits.Run(fits.Parts(0, 11), settings: settings);
        Assert.Equal(11, fits.Reads);
        var kept = Directory
            .EnumerateFiles(fits.StorePath, "*", SearchOption.AllDirectories)
            .ToDictionary(file => file, File.ReadAllBytes);
        Assert.Equal(22, kept.Count);
        fits.Run(fits.Parts(0, 11));
        Assert.Equal(Fits.Bytes(model), Fits.Bytes(fits.Run(fits.Parts(0, 11), settings: settings)));
        Assert.Equal(11, fits.Reads);
        Assert.Equal(
            kept,
            Directory
                .EnumerateFiles(fits.StorePath, "*", SearchOption.AllDirectories)
                .ToDictionary(file => file, File.ReadAllBytes)
        );
    }

    [Theory]
    [InlineData(ShrinkageMethod.LedoitWolf)]
    [InlineData(ShrinkageMethod.Oas)]
    public void A_defective_part_scores_above_every_good_one_after_few_images(ShrinkageMethod method)
    {
        using var fits = new Fits();
        var scorer = new ModelScorer(
            fits.Run(fits.Parts(0, 6), settings: Fits.Settings with { Shrinkage = method }),
            Fits.Tiny
        );
        var good = Enumerable.Range(100, 5).Max(seed => Score(scorer, SyntheticParts.Good(seed, 72)));
        Assert.True(Score(scorer, SyntheticParts.Defective(200, DefectKind.Scratch, 72).Image) > good);
    }

    private static void AssertFinite(PadimModel model, int count)
    {
        Assert.Equal(count, model.Calibration.Scores.Count);
        Assert.All(model.Calibration.Scores, score => Assert.True(double.IsFinite(score)));
        Assert.All(model.GoldenImages, golden => Assert.True(float.IsFinite(golden.Score)));
        var scorer = new ModelScorer(Fits.Reread(model), Fits.Tiny);
        Assert.All(
            scorer.Score(TestDecoder.Image(SyntheticParts.Defective(9, DefectKind.Dent, 72).Image.ToBmp())).Values,
            value => Assert.True(float.IsFinite(value))
        );
        Assert.Null(SelfTest.Validate(scorer, OnThreadPool.Context));
    }

    private static float Score(ModelScorer scorer, RgbImage part) =>
        scorer.Score(TestDecoder.Image(part.ToBmp())).Max();
}
