namespace PaDiM.Core.DatasetReview;

/// <summary>
/// Looks through a training set for images that spoil a fit before it does harm: near-duplicates, and images that are
/// blurred or wrongly exposed next to the others. Compared are images of one scene, by median and MAD, so that a
/// minority of bad ones does not hide itself.
/// </summary>
public static class TrainingSetReview
{
    /// <summary>From here on a trait stands far out, in robust standard deviations.</summary>
    internal const double Limit = 5;

    /// <summary>Fewer images have no usual spread to stand out from.</summary>
    internal const int SmallestSet = 4;

    /// <summary>In natural logarithms: recoding and resampling alone change sharpness by as much.</summary>
    private const double SmallestSharpnessSpread = 0.1;

    /// <summary>In stops: nobody minds a quarter of a stop.</summary>
    private const double SmallestExposureSpread = 0.05;

    /// <summary>
    /// An image with more than this share of clipped pixels is lost, unless the scene itself is like that.
    /// </summary>
    private const double ClippedShare = 0.5,
        UsualClippedShare = 0.25,
        SmallestShareSpread = 0.05;

    /// <summary>Findings by index, then kind. Takes time with the square of the number of images.</summary>
    /// <param name="images">Traits in the training order, any number.</param>
    /// <param name="parallel">Threads and cancellation; all cores where null.</param>
    public static IReadOnlyList<TrainingFinding> Of(
        IReadOnlyList<ImageTraits> images,
        ParallelOptions? parallel = null
    ) =>
        images.Count < 2
            ? []
            :
            [
                .. NearDuplicates
                    .Find(images, parallel ?? Partition.AllCores)
                    .Concat(images.Count < SmallestSet ? [] : Blurred(images).Concat(WronglyExposed(images)))
                    .OrderBy(finding => finding.Index)
                    .ThenBy(finding => finding.Kind),
            ];

    private static IEnumerable<TrainingFinding> Blurred(IReadOnlyList<ImageTraits> images)
    {
        var scale = RobustScale.Of(images.Select(image => (double)image.Sharpness), SmallestSharpnessSpread);
        return images
            .Select(
                (image, i) => new TrainingFinding(i, TrainingFindingKind.Blurred, -scale.Deviations(image.Sharpness))
            )
            .Where(finding => finding.Deviations >= Limit);
    }

    private static IEnumerable<TrainingFinding> WronglyExposed(IReadOnlyList<ImageTraits> images)
    {
        var exposure = RobustScale.Of(images.Select(image => (double)image.Exposure), SmallestExposureSpread);
        var black = RobustScale.Of(images.Select(image => (double)image.BlackShare), SmallestShareSpread);
        var white = RobustScale.Of(images.Select(image => (double)image.WhiteShare), SmallestShareSpread);
        for (var i = 0; i < images.Count; i++)
        {
            var stops = exposure.Deviations(images[i].Exposure);
            if (Excess(-stops, black, images[i].BlackShare) is { } under)
                yield return new TrainingFinding(i, TrainingFindingKind.Underexposed, under);
            else if (Excess(stops, white, images[i].WhiteShare) is { } over)
                yield return new TrainingFinding(i, TrainingFindingKind.Overexposed, over);
        }
    }

    /// <summary>
    /// How far an image is on the wrong side of the usual exposure; null where that is nothing to mention.
    /// </summary>
    private static double? Excess(double deviations, RobustScale usualClipped, double clipped)
    {
        var isClipped = clipped > ClippedShare && usualClipped.Centre < UsualClippedShare;
        return deviations >= Limit || isClipped
            ? Math.Max(deviations, isClipped ? usualClipped.Deviations(clipped) : 0)
            : null;
    }
}
