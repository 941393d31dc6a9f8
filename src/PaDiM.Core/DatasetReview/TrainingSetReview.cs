namespace PaDiM.Core.DatasetReview;

/// <summary>
/// Reviews a training set for images that could spoil a fit: near-duplicates, and images that are blurred or wrongly
/// exposed in comparison with the others. Images of one scene are compared by median and MAD, which a minority of bad
/// images does not distort.
/// </summary>
public static class TrainingSetReview
{
    /// <summary>The deviation from which a trait is a finding, in robust standard deviations.</summary>
    internal const double MaxDeviations = 5;

    /// <summary>The least number of images with a meaningful spread.</summary>
    internal const int MinImages = 4;

    /// <summary>
    /// The least spread of sharpness, in natural logarithms: recoding and resampling alone change it by as much.
    /// </summary>
    private const double MinSharpnessSpread = 0.1;

    /// <summary>
    /// The least spread of exposure, in stops: a quarter of a stop, which is five spreads, does no harm.
    /// </summary>
    private const double MinExposureSpread = 0.05;

    /// <summary>
    /// An image with more than this share of clipped pixels is a finding, unless clipping is usual in the scene.
    /// </summary>
    private const double ClippedShare = 0.5,
        UsualClippedShare = 0.25,
        MinShareSpread = 0.05;

    /// <summary>
    /// The largest difference of brightness and contrast between copies of one frame, in grey levels: more than an
    /// encoder changes.
    /// </summary>
    private const double MaxCopyDifference = 0.5;

    /// <summary>
    /// Finds all findings, ordered by index and kind. Cost: quadratic in the number of images.
    /// </summary>
    /// <param name="images">Traits in the training order, any number.</param>
    /// <param name="parallel">Degree of parallelism and cancellation; all cores when null.</param>
    public static IReadOnlyList<TrainingFinding> FindAll(
        IReadOnlyList<ImageTraits> images,
        ParallelOptions? parallel = null
    ) =>
        images.Count < 2
            ? []
            :
            [
                .. NearDuplicates
                    .Find(images, parallel ?? Partition.AllCores)
                    .Concat(images.Count < MinImages ? [] : FindBlurred(images).Concat(FindWronglyExposed(images)))
                    .OrderBy(finding => finding.Index)
                    .ThenBy(finding => finding.Kind),
            ];

    /// <summary>
    /// Gets whether all images are one frame: copies of one another, except for what an encoder changes.
    /// </summary>
    /// <param name="images">Traits of at least one image.</param>
    public static bool IsOneFrame(IReadOnlyList<ImageTraits> images) =>
        images.All(image =>
            Math.Abs(image.Brightness - images[0].Brightness) < MaxCopyDifference
            && Math.Abs(image.Contrast - images[0].Contrast) < MaxCopyDifference
        ) && NearDuplicates.AreIdentical(images);

    /// <summary>
    /// Finds the leave-one-out scores that say nothing about new parts: when a near-duplicate is left out, its twin is
    /// still in the fit, and the score is too low. They are left out of the calibration. If there are fewer other
    /// images than groups of near-duplicates, the largest score of each group counts.
    /// </summary>
    /// <param name="findings">The findings of <see cref="FindAll"/>.</param>
    /// <param name="scores">The leave-one-out score of every image.</param>
    /// <returns>Indices in ascending order.</returns>
    public static IReadOnlyList<int> FindUncounted(
        IReadOnlyList<TrainingFinding> findings,
        IReadOnlyList<double> scores
    )
    {
        int[][] groups =
        [
            .. findings
                .Where(finding => finding.Of is not null)
                .GroupBy(finding => finding.Of!.Value, finding => finding.Index)
                .Select(group => group.Append(group.Key).ToArray()),
        ];
        var repeated = groups.Sum(group => group.Length);
        return
        [
            .. groups
                .SelectMany(group =>
                    scores.Count - repeated >= groups.Length ? group : group.OrderByDescending(i => scores[i]).Skip(1)
                )
                .Order(),
        ];
    }

    private static IEnumerable<TrainingFinding> FindBlurred(IReadOnlyList<ImageTraits> images)
    {
        var scale = RobustScale.Estimate(images.Select(image => (double)image.Sharpness), MinSharpnessSpread);
        return images
            .Select(
                (image, i) => new TrainingFinding(i, TrainingFindingKind.Blurred, -scale.GetDeviations(image.Sharpness))
            )
            .Where(finding => finding.Deviations >= MaxDeviations);
    }

    private static IEnumerable<TrainingFinding> FindWronglyExposed(IReadOnlyList<ImageTraits> images)
    {
        var exposure = RobustScale.Estimate(images.Select(image => (double)image.Exposure), MinExposureSpread);
        var black = RobustScale.Estimate(images.Select(image => (double)image.BlackShare), MinShareSpread);
        var white = RobustScale.Estimate(images.Select(image => (double)image.WhiteShare), MinShareSpread);
        for (var i = 0; i < images.Count; i++)
        {
            var stops = exposure.GetDeviations(images[i].Exposure);
            if (GetExcess(-stops, black, images[i].BlackShare) is { } under)
                yield return new TrainingFinding(i, TrainingFindingKind.Underexposed, under);
            else if (GetExcess(stops, white, images[i].WhiteShare) is { } over)
                yield return new TrainingFinding(i, TrainingFindingKind.Overexposed, over);
        }
    }

    /// <summary>
    /// Gets by how many deviations an image is on the wrong side of the usual exposure; null if that is no finding.
    /// </summary>
    private static double? GetExcess(double deviations, RobustScale usualClipped, double clipped)
    {
        var isClipped = clipped > ClippedShare && usualClipped.Centre < UsualClippedShare;
        return deviations >= MaxDeviations || isClipped
            ? Math.Max(deviations, isClipped ? usualClipped.GetDeviations(clipped) : 0)
            : null;
    }
}
