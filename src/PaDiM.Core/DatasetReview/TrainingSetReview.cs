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
