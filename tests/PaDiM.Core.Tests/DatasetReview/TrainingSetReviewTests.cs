using PaDiM.Core.DatasetReview;
using PaDiM.Core.Tests.Support;

namespace PaDiM.Core.Tests.DatasetReview;

public sealed class TrainingSetReviewTests
{
    [Fact]
    public void Ordinary_traits_hold_no_findings()
    {
        foreach (var seed in Enumerable.Range(0, 10))
        foreach (var count in new[] { 0, 1, 2, 3, 4, 5, 20, 100 })
            Assert.Empty(TrainingSetReview.FindAll(Set(seed, count)));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(30)]
    public void Identical_images_are_duplicates_of_the_first(int count)
    {
        var image = Set(1, 1)[0];
        var findings = TrainingSetReview.FindAll([.. Enumerable.Repeat(image, count)]);
        Assert.Equal(
            Enumerable.Range(1, count - 1).Select(i => (i, TrainingFindingKind.NearDuplicate, (int?)0)),
            findings.Select(finding => (finding.Index, finding.Kind, finding.Of))
        );
        Assert.All(findings, finding => Assert.True(double.IsFinite(finding.Deviations) && finding.Deviations >= 0));
    }

    [Theory]
    [InlineData(1, 0.6f, TrainingFindingKind.Overexposed)]
    [InlineData(1, -0.6f, TrainingFindingKind.Underexposed)]
    [InlineData(2, 0.6f, TrainingFindingKind.Underexposed)]
    [InlineData(3, 0.6f, TrainingFindingKind.Overexposed)]
    [InlineData(5, -1, TrainingFindingKind.Blurred)]
    public void A_trait_that_stands_far_out_is_found_from_four_images_on(
        int trait,
        float change,
        TrainingFindingKind kind
    )
    {
        foreach (var count in new[] { 3, 4, 5, 40 })
        {
            var set = Set(count, count);
            set[2] = Changed(set[2], trait, change);
            var expected = count < 4 ? [] : new[] { (2, kind, (int?)null) };
            Assert.Equal(
                expected,
                TrainingSetReview.FindAll(set).Select(finding => (finding.Index, finding.Kind, finding.Of))
            );
        }
    }

    [Fact]
    public void Clipped_pixels_are_no_fault_where_the_scene_is_white()
    {
        var set = Array.ConvertAll(Set(1, 20), image => Changed(image, 3, 0.4f));
        set[3] = Changed(set[3], 3, 0.2f);
        Assert.Empty(TrainingSetReview.FindAll(set));
    }

    [Fact]
    public void A_sharper_image_is_no_finding()
    {
        var set = Set(1, 20);
        set[3] = Changed(set[3], 5, 2);
        Assert.Empty(TrainingSetReview.FindAll(set));
    }

    [Fact]
    public void Forty_copies_among_twelve_images_do_not_count_for_the_threshold()
    {
        var set = Set(2, 13);
        ImageTraits[] images = [.. set, .. Enumerable.Repeat(set[4], 39)];
        var scores = images.Select((_, i) => i > 12 || i == 4 ? 0.1 : 10.0 + i).ToArray();
        var uncounted = TrainingSetReview.FindUncounted(TrainingSetReview.FindAll(images), scores);
        Assert.Equal([4, .. Enumerable.Range(13, 39)], uncounted);
    }

    [Fact]
    public void Where_every_image_is_there_twice_the_larger_score_of_each_pair_counts()
    {
        var set = Set(3, 8);
        double[] scores = [1, 2, 3, 4, 5, 6, 7, 8, 8, 7, 6, 5, 4, 3, 2, 1];
        var findings = TrainingSetReview.FindAll([.. set, .. set]);
        Assert.Equal([0, 1, 2, 3, 12, 13, 14, 15], TrainingSetReview.FindUncounted(findings, scores));
    }

    [Fact]
    public void Only_copies_are_one_frame()
    {
        var set = Set(4, 5);
        Assert.True(TrainingSetReview.IsOneFrame([set[0]]));
        Assert.True(TrainingSetReview.IsOneFrame([set[0], set[0], Changed(set[0], 6, 0.01f)]));
        Assert.False(TrainingSetReview.IsOneFrame([set[0], set[0], set[1]]));
        // The same picture in other light.
        Assert.False(TrainingSetReview.IsOneFrame([set[0], Changed(set[0], 0, 2)]));
    }

    [Fact]
    public void The_result_does_not_depend_on_the_number_of_threads()
    {
        var set = Set(1, 60);
        set[40] = set[7];
        Assert.Equal(
            TrainingSetReview.FindAll(set, new ParallelOptions { MaxDegreeOfParallelism = 1 }),
            TrainingSetReview.FindAll(set, new ParallelOptions { MaxDegreeOfParallelism = 4 })
        );
    }

    [Fact]
    public void A_review_can_be_cancelled() =>
        Assert.ThrowsAny<OperationCanceledException>(() =>
            TrainingSetReview.FindAll(
                Set(1, 60),
                new ParallelOptions { CancellationToken = new CancellationToken(true) }
            )
        );

    /// <summary>Images of one scene: a common thumbnail, and a fifth of it each its own.</summary>
    private static ImageTraits[] Set(int seed, int count)
    {
        var random = new Random(seed);
        var scene = RandomEmbeddings.Normals(random, ImageTraits.VectorLength - 6);
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(_ =>
                {
                    var own = RandomEmbeddings.Normals(random, ImageTraits.VectorLength);
                    return ImageTraits.FromVector([
                        100,
                        (float)(6.5 + 0.02 * own[0]),
                        0,
                        0,
                        40,
                        (float)(-3 + 0.1 * own[1]),
                        .. scene.Select((v, i) => (float)(v + 0.2 * own[i + 6])),
                    ]);
                }),
        ];
    }

    private static ImageTraits Changed(ImageTraits image, int trait, float change)
    {
        var vector = image.ToVector();
        vector[trait] += change;
        return ImageTraits.FromVector(vector);
    }
}
