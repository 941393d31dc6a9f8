using PaDiM.Core.Alignment;
using PaDiM.Engine.Faults;
using PaDiM.Engine.Fitting;
using PaDiM.Engine.Scoring;
using PaDiM.Engine.Tests.Support;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Engine.Tests.Fitting;

/// <summary>Files with other bytes and the same pixels count once.</summary>
public sealed class CopyTests
{
    [Theory]
    [InlineData(AlignmentMethod.None)]
    [InlineData(AlignmentMethod.Rigid)]
    public void Forty_copies_of_one_frame_change_nothing(AlignmentMethod alignment)
    {
        using var fits = new Fits();
        var settings = Fits.Settings with { Alignment = alignment };
        var parts = fits.Parts(0, 12);
        var model = fits.Run([.. parts, .. Copies(fits, 12, 40)], settings: settings);
        Assert.Equal(13, model.TrainingImages.Count);
        var kept = Copies(fits, 12, 40).Min(copy => copy.Sha256);
        Assert.Contains(kept, model.TrainingImages);
        using var alone = new Fits();
        var expected = alone.Run(
            [.. parts, Copies(alone, 12, 40).Single(copy => copy.Sha256 == kept)],
            settings: settings
        );
        Assert.Equal(Fits.Bytes(expected), Fits.Bytes(model));
    }

    [Fact]
    public void Copies_that_are_added_later_change_nothing()
    {
        using var fits = new Fits();
        var first = Copies(fits, 12, 1);
        var prior = fits.Run([.. fits.Parts(0, 12), .. first]);
        var grown = fits.Run([.. fits.Parts(0, 12), .. Copies(fits, 12, 5)], fits.PriorOf(prior));
        Assert.Equal(13, grown.TrainingImages.Count);
        Assert.Equal(prior.Calibration.Scores.Order(), grown.Calibration.Scores.Order());
        // The image that counted is gone, and a copy is still there.
        var left = Copies(fits, 12, 5).Where(copy => copy.Sha256 != first[0].Sha256);
        var swapped = fits.Run([.. fits.Parts(0, 12), .. left], fits.PriorOf(grown));
        Assert.Equal(13, swapped.TrainingImages.Count);
        Assert.Equal(prior.Calibration.Max, swapped.Calibration.Max, 1e-3);
    }

    [Fact]
    public void Statistics_of_an_earlier_version_that_hold_copies_are_not_continued()
    {
        using var fits = new Fits();
        TrainingImage[] images = [.. fits.Parts(0, 12), .. Copies(fits, 12, 3)];
        var model = fits.Run(images);
        var prior = new PriorFit(
            model.Reduction,
            [.. images.Select(image => image.Sha256)],
            () => throw new InvalidOperationException()
        );
        Assert.Equal(Fits.Bytes(model), Fits.Bytes(fits.Run(images, prior)));
    }

    [Fact]
    public void Pictures_that_differ_outside_the_crop_only_are_too_few()
    {
        using var fits = new Fits();
        var images = Enumerable
            .Range(0, 4)
            .Select(i =>
            {
                var part = SyntheticParts.Good(1, 64);
                part.Pixels.AsSpan(0, 3 * 64).Fill((byte)(60 * i));
                return fits.Image(part.ToBmp());
            });
        var fault = Assert.Throws<UserFaultException>(() =>
            fits.Run([.. images], settings: Fits.Settings with { CropSize = 32 })
        );
        Assert.Equal("too_few_images", fault.Fault.Code);
        Assert.Contains("crop", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_training_image_is_anomalous_at_the_smallest_rate()
    {
        using var fits = new Fits();
        TrainingImage[] images = [.. fits.Parts(0, 8), .. Copies(fits, 3, 4)];
        var model = fits.Run(images);
        var scorer = new ModelScorer(model, Fits.Tiny);
        var threshold = model.Calibration.GetThreshold(model.Calibration.SmallestFalseRejectRate);
        Assert.All(images, image => Assert.True(scorer.Score(TestDecoder.Image(image.Read())).Max() < threshold));
    }

    /// <summary>One part in files that differ in a reserved byte.</summary>
    private static TrainingImage[] Copies(Fits fits, int seed, int count) =>
        [
            .. Enumerable
                .Range(1, count)
                .Select(i =>
                {
                    var file = SyntheticParts.Good(seed, 72).ToBmp();
                    file[6] = (byte)i;
                    return fits.Image(file);
                }),
        ];
}
