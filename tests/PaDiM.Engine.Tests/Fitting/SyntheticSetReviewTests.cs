using PaDiM.Core.DatasetReview;
using PaDiM.Engine.Tests.Support;
using PaDiM.Imaging;

namespace PaDiM.Engine.Tests.Fitting;

/// <summary>Sets of synthetic parts: what was spoilt is found, and nothing else.</summary>
public sealed class SyntheticSetReviewTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(7000)]
    public void Spoilt_images_are_found_and_nothing_else(int seed)
    {
        var parts = Parts(seed, 40, 128);
        parts[5] = parts[5].Blurred(1.5);
        parts[11] = parts[11].Exposed(1.5);
        parts[17] = parts[17].Exposed(0.6);
        parts[23] = parts[2].Recoded();
        parts[31] = parts[8].Moved(0.5).Exposed(1.02);
        Assert.Equal(
            [
                (5, TrainingFindingKind.Blurred, null),
                (11, TrainingFindingKind.Overexposed, null),
                (17, TrainingFindingKind.Underexposed, null),
                (23, TrainingFindingKind.NearDuplicate, 2),
                (31, TrainingFindingKind.NearDuplicate, 8),
            ],
            Review(parts)
        );
    }

    [Theory]
    [InlineData(2, 128)]
    [InlineData(4, 128)]
    [InlineData(5, 128)]
    [InlineData(10, 128)]
    [InlineData(40, 128)]
    [InlineData(40, 256)]
    [InlineData(150, 128)]
    public void Good_parts_hold_no_findings(int count, int size)
    {
        foreach (var seed in new[] { 1, 1000, 7000, 40000 })
            Assert.Empty(Review(Parts(seed, count, size)));
    }

    [Fact]
    public void A_heavily_blurred_image_is_found_although_its_rounding_is_sharp()
    {
        foreach (var sigma in new[] { 3.0, 6, 12 })
        {
            var parts = Parts(1, 20, 128);
            parts[7] = parts[7].Blurred(sigma);
            Assert.Contains((7, TrainingFindingKind.Blurred, null), Review(parts));
        }
    }

    [Fact]
    public void A_set_that_was_stored_twice_is_found()
    {
        var parts = Parts(1, 30, 128);
        Assert.Equal(
            Enumerable.Range(0, 30).Select(i => (30 + i, TrainingFindingKind.NearDuplicate, (int?)i)),
            Review([.. parts, .. parts.Select(part => part.Recoded(95))])
        );
    }

    [Fact]
    public void Many_copies_of_one_image_are_each_found_once()
    {
        var parts = Parts(1, 30, 128);
        var copies = Enumerable.Range(0, 12).Select(i => parts[3].Recoded(80 + i));
        Assert.Equal(
            Enumerable.Range(30, 12).Select(i => (i, TrainingFindingKind.NearDuplicate, (int?)3)),
            Review([.. parts, .. copies])
        );
    }

    [Fact]
    public void Blank_images_are_wrongly_exposed_and_all_alike()
    {
        var parts = Parts(1, 20, 128);
        parts[4] = parts[4].Exposed(0);
        parts[9] = parts[9].Exposed(1000);
        Assert.Equal(
            [
                (4, TrainingFindingKind.Underexposed, null),
                (9, TrainingFindingKind.NearDuplicate, 4),
                (9, TrainingFindingKind.Overexposed, null),
            ],
            Review(parts).Where(finding => finding.Kind is not TrainingFindingKind.Blurred)
        );
    }

    private static RgbImage[] Parts(int seed, int count, int size)
    {
        var parts = new RgbImage[count];
        Parallel.For(0, count, i => parts[i] = Photograph.Part(seed + i, size));
        return parts;
    }

    private static IEnumerable<(int Index, TrainingFindingKind Kind, int? Of)> Review(RgbImage[] images) =>
        TrainingSetReview
            .FindAll([.. images.AsParallel().AsOrdered().Select(image => image.Traits())])
            .Select(finding => (finding.Index, finding.Kind, finding.Of));
}
