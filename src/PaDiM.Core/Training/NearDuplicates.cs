namespace PaDiM.Core.Training;

/// <summary>
/// Finds images that repeat others. On a fixture all good parts look alike, so no distance by itself tells a second photograph of one part from
/// one of another part. What tells is how much nearer an image's nearest neighbour is than its k-th one, ln(d_1 / d_k), measured against what is
/// usual in the set; d_k stands for how alike different parts are in that region of the set.
/// </summary>
internal static class NearDuplicates
{
    /// <summary>
    /// Bounds of the spread of ln(d_1 / d_k). Below the lower one an accident of five pixels in a small set would count; above the upper one, many
    /// true repeats widen the spread behind which they hide.
    /// </summary>
    private const double SmallestSpread = 0.21, LargestSpread = 0.32;

    /// <summary>So much nearer than the k-th is no neighbour even where most of the set was stored twice, and repeats are what is usual.</summary>
    private const double AlwaysNear = -3;

    /// <summary>Thumbnails that differ by a thousandth of their contrast differ by less than the noise of a camera.</summary>
    private const double AlwaysSame = 1e-3;

    /// <summary>Where one image was stored more than k times, its k-th neighbour is a copy too; d_k is then taken to be this much below the median.</summary>
    private const double Crowded = -2;

    private const int FewestNeighbours = 5, MostNeighbours = 20;

    /// <summary>Repeats in ascending order of index, each once.</summary>
    public static IEnumerable<TrainingFinding> Find(IReadOnlyList<ImageTraits> images, ParallelOptions parallel)
    {
        var k = Math.Min(images.Count - 1, Math.Clamp(images.Count / 10, FewestNeighbours, MostNeighbours));
        var neighbours = Neighbourhoods.Of(images, k, parallel);
        var kth = Array.ConvertAll(neighbours, list => list[k - 1].LogDistance);
        var crowded = RobustScale.Of(kth, 0).Centre + Crowded;
        for (var i = 0; i < kth.Length; i++) kth[i] = Math.Max(kth[i], crowded);

        var usual = RobustScale.Of(neighbours.Select((list, i) => list[0].LogDistance - kth[i]), SmallestSpread);
        usual = usual with { Spread = Math.Min(usual.Spread, LargestSpread) };
        var limit = images.Count < TrainingSetReview.SmallestSet ? double.NegativeInfinity : Math.Max(AlwaysNear, usual.Centre - TrainingSetReview.Limit * usual.Spread);

        var original = Enumerable.Range(0, images.Count).ToArray();
        var deviations = new double[images.Count];
        foreach (var (first, second, distance) in Pairs(neighbours))
        {
            var ratio = distance - Math.Min(kth[first], kth[second]);
            if (ratio > limit && distance > Math.Log(AlwaysSame)) continue;
            // Pairs come by their later image, then by their earlier one: an image that the earlier one repeats has been settled by now.
            original[second] = Math.Min(original[second], original[first]);
            deviations[second] = Math.Max(deviations[second], -usual.Deviations(ratio));
        }
        return Enumerable.Range(0, images.Count).Where(i => original[i] != i).Select(i => new TrainingFinding(i, TrainingFindingKind.NearDuplicate, deviations[i], original[i]));
    }

    /// <summary>Each pair of neighbours once, ordered by its later image and then by its earlier one.</summary>
    private static IEnumerable<(int First, int Second, double LogDistance)> Pairs(Neighbour[][] neighbours) => neighbours
        .SelectMany((list, i) => list.Select(n => (First: Math.Min(i, n.Index), Second: Math.Max(i, n.Index), n.LogDistance)))
        .DistinctBy(pair => (pair.First, pair.Second))
        .OrderBy(pair => pair.Second).ThenBy(pair => pair.First);
}
