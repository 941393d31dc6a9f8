namespace PaDiM.Core.DatasetReview;

/// <summary>
/// Looks through a training set for images that spoil a fit before it does harm: near-duplicates, and images that are
/// blurred or wrongly exposed next to the others. Compared are images of one scene, by median and MAD, so that a
/// minority of bad ones does not hide itself.
/// </summary>
public static class TrainingSetReview
{
    /// <summary>From here on a trait stands far out, in robust standard deviations.</summary>
    internal const double MaxDeviations = 5;

    /// <summary>Fewer images have no usual spread to stand out from.</summary>
    internal const int MinImages = 4;

    /// <summary>In natural logarithms: recoding and resampling alone change sharpness by as much.</summary>
    private const double MinSharpnessSpread = 0.1;

    /// <summary>In stops: nobody minds a quarter of a stop.</summary>
    private const double MinExposureSpread = 0.05;

    /// <summary>
    /// An image with more than this share of clipped pixels is lost, unless the scene itself is like that.
    /// </summary>
    private const double ClippedShare = 0.5,
        UsualClippedShare = 0.25,
        MinShareSpread = 0.05;

    /// <summary>Findings by index, then kind. Takes time with the square of the number of images.</summary>
    /// <param name="images">Traits in the training order, any number.</param>
    /// <param name="parallel">Threads and cancellation; all cores where null.</param>
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
    /// How far an image is on the wrong side of the usual exposure; null where that is nothing to mention.
    /// </summary>
    private static double? GetExcess(double deviations, RobustScale usualClipped, double clipped)
    {
        var isClipped = clipped > ClippedShare && usualClipped.Centre < UsualClippedShare;
        return deviations >= MaxDeviations || isClipped
            ? Math.Max(deviations, isClipped ? usualClipped.GetDeviations(clipped) : 0)
            : null;
    }
}
