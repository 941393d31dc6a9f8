namespace PaDiM.Core.DatasetReview;

/// <summary>
/// Finds images that repeat other images. On a fixture all good parts look alike, so no distance on its own
/// distinguishes a second photograph of one part from one of another part. The criterion is how much nearer the nearest
/// neighbour is than the k-th one, ln(d_1 / d_k), compared with the usual value in the set: d_k shows how similar
/// different parts are in that region of the set.
/// </summary>
internal static class NearDuplicates
{
    /// <summary>
    /// Bounds of the spread of ln(d_1 / d_k). With a smaller spread, chance in a small set would count as a repeat;
    /// with a larger one, many true repeats would widen the spread and hide themselves.
    /// </summary>
    private const double MinSpread = 0.21,
        MaxSpread = 0.32;

    /// <summary>
    /// If most of the set was stored twice, repeats are the usual case. An image is then a repeat if it is nearer by
    /// this margin than the usual third neighbour, which is not a repeat.
    /// </summary>
    private const double ThirdNeighbourMargin = 2.4;

    /// <summary>
    /// The distance below which thumbnails are always repeats: a thousandth of the contrast is less than the noise of a
    /// camera.
    /// </summary>
    private const double IdenticalDistance = 1e-3;

    /// <summary>
    /// The largest gap between ln d_k and the logarithm of the middle distance. If an image was stored more than k
    /// times, its k-th neighbour is a copy too, and d_k would be too small.
    /// </summary>
    private const double MaxGapToMiddle = 1.2;

    private const int MinNeighbours = 5,
        MaxNeighbours = 20;

    /// <summary>Finds repeats, in ascending order of index, each once.</summary>
    public static IEnumerable<TrainingFinding> Find(IReadOnlyList<ImageTraits> images, ParallelOptions parallel)
    {
        var k = Math.Min(images.Count - 1, Math.Clamp(images.Count / 10, MinNeighbours, MaxNeighbours));
        var around = NeighbourSearch.FindAll(images, k, parallel);
        var kth = Array.ConvertAll(
            around,
            near => Math.Max(near.Nearest[k - 1].LogDistance, near.LogMiddleDistance - MaxGapToMiddle)
        );
        var usual = RobustScale.Estimate(around.Select((near, i) => near.Nearest[0].LogDistance - kth[i]), MinSpread);
        usual = usual with { Spread = Math.Min(usual.Spread, MaxSpread) };
        var limit = GetLimit(
            images.Count,
            usual,
            RobustScale
                .Estimate(around.Select((near, i) => near.Nearest[Math.Min(3, k) - 1].LogDistance - kth[i]), 0)
                .Centre
        );

        var groups = new ImageGroups(images.Count);
        var deviations = new double[images.Count];
        foreach (var (first, second, distance) in GetPairs(around))
        {
            var ratio = distance - Math.Min(kth[first], kth[second]);
            if (ratio > limit && distance > Math.Log(IdenticalDistance))
                continue;
            groups.Join(first, second);
            var nearness = -usual.GetDeviations(ratio);
            deviations[first] = Math.Max(deviations[first], nearness);
            deviations[second] = Math.Max(deviations[second], nearness);
        }
        return Enumerable
            .Range(0, images.Count)
            .Where(i => groups.GetFirst(i) != i)
            .Select(i => new TrainingFinding(i, TrainingFindingKind.NearDuplicate, deviations[i], groups.GetFirst(i)));
    }

    /// <summary>Gets whether the thumbnails of all images are the same, by the limit that always counts.</summary>
    public static bool AreIdentical(IReadOnlyList<ImageTraits> images)
    {
        var first = new TangentThumbnail(images[0].Thumbnail);
        var buffers = new TangentThumbnail.Buffers();
        return images
            .Skip(1)
            .All(image =>
                first.ComputeLogDistance(new TangentThumbnail(image.Thumbnail), buffers) <= Math.Log(IdenticalDistance)
            );
    }

    /// <summary>Gets the largest ln(d_1 / d_k) of a repeat.</summary>
    private static double GetLimit(int images, RobustScale usual, double usualThird) =>
        images < TrainingSetReview.MinImages
            ? double.NegativeInfinity
            : Math.Max(
                usualThird - ThirdNeighbourMargin,
                usual.Centre - TrainingSetReview.MaxDeviations * usual.Spread
            );

    /// <summary>Gets each pair of neighbours once.</summary>
    private static IEnumerable<(int First, int Second, double LogDistance)> GetPairs(Neighbourhood[] around) =>
        around
            .SelectMany(
                (near, i) =>
                    near.Nearest.Select(n => (First: Math.Min(i, n.Index), Second: Math.Max(i, n.Index), n.LogDistance))
            )
            .DistinctBy(pair => (pair.First, pair.Second));
}
