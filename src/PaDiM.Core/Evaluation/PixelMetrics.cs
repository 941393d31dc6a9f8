namespace PaDiM.Core.Evaluation;

/// <summary>How well maps tell anomalous pixels from normal ones, over all pixels of all test images.</summary>
/// <param name="Auroc">Area under the ROC curve of pixels; NaN when there is no anomalous or no normal pixel.</param>
/// <param name="AuPro30">Area under the per-region-overlap curve up to a false-positive rate of 0.3, divided by 0.3; NaN likewise.</param>
/// <param name="AuPro05">The same up to 0.05.</param>
public sealed record PixelMetrics(double Auroc, double AuPro30, double AuPro05)
{
    private const double Wide = 0.3, Narrow = 0.05;

    /// <summary>Pixels sorted at a time: 256 MiB.</summary>
    private const int DefaultGroup = 1 << 26;

    /// <summary>
    /// Measures maps as MVTec defines it (Bergmann et al., IJCV 2021): exact curve with ties merged, 8-connected regions of the masks, linear interpolation at the
    /// limit. Memory does not grow with the number of images: the maps are visited once to count and then once for each group of scores, highest first.
    /// </summary>
    /// <param name="maps">Test images; enumerated several times, each time the same.</param>
    /// <param name="group">Most pixels to sort at a time, but for one group of scores that share their upper half.</param>
    public static PixelMetrics Of(IEnumerable<ScoredPixels> maps, int group = DefaultGroup)
    {
        var curve = Walk(maps, group);
        return new PixelMetrics(curve.Auroc(), curve.AuPro(Wide), curve.AuPro(Narrow));
    }

    internal static ProCurve Walk(IEnumerable<ScoredPixels> maps, int group = DefaultGroup)
    {
        var counts = new long[ScoreGroups.Count];
        var regions = 0;
        foreach (var map in maps)
        {
            for (var i = 0; i < map.Scores.Length; i++)
                if (map.Counts(i)) counts[ScoreGroups.Of(map.Scores[i])]++;
            regions += map.Regions;
        }
        var curve = new ProCurve(regions);
        foreach (var (low, high, pixels) in ScoreGroups.Split(counts, group))
        {
            var collected = new PixelGroup(checked((int)pixels));
            foreach (var map in maps) collected.Take(map, low, high);
            collected.Sweep(curve);
        }
        return curve;
    }
}
