namespace PaDiM.Core.Evaluation;

/// <summary>
/// The curve of per-region overlap over false positives, walked from the highest score to the lowest. Only corners are kept: between two pixels of
/// regions the overlap stands still, and the false positives of all steps there make one.
/// </summary>
/// <param name="regions">Number of defect regions in all images.</param>
internal sealed class ProCurve(int regions)
{
    private readonly List<(long FalsePositives, double Overlap)> corners = [(0, 0)];
    private long normals, anomalies;
    private double overlap;

    /// <summary>Twice the number of pairs of an anomalous and a normal pixel in which the anomalous one scores higher, ties counting 1.</summary>
    private UInt128 wonPairs;

    /// <summary>Takes the pixels of one score.</summary>
    /// <param name="normalPixels">Outside all regions.</param>
    /// <param name="anomalousPixels">Inside a region.</param>
    /// <param name="share">Sum of the shares that these are of their regions.</param>
    public void Step(long normalPixels, long anomalousPixels, double share)
    {
        // Anomalous pixels met so far beat these normal ones; those of this very step tie with them.
        wonPairs += (UInt128)normalPixels * (UInt128)(2 * anomalies + anomalousPixels);
        if (anomalousPixels > 0 && corners[^1].FalsePositives < normals) corners.Add((normals, overlap));
        (normals, anomalies, overlap) = (normals + normalPixels, anomalies + anomalousPixels, overlap + share);
        if (anomalousPixels > 0) corners.Add((normals, overlap));
    }

    public double Auroc() => (double)wonPairs / (2.0 * anomalies * normals);

    /// <summary>Area up to a false-positive rate, divided by it; interpolated linearly at the limit.</summary>
    public double AuPro(double limit)
    {
        if (regions == 0 || normals == 0) return double.NaN;
        var end = limit * normals;
        var (area, last) = (0.0, (FalsePositives: 0.0, Overlap: 0.0));
        foreach (var corner in corners.Append((FalsePositives: normals, Overlap: overlap)))
        {
            var next = (FalsePositives: (double)corner.FalsePositives, corner.Overlap);
            if (next.FalsePositives > end)
            {
                var share = (end - last.FalsePositives) / (next.FalsePositives - last.FalsePositives);
                next = (end, last.Overlap + share * (next.Overlap - last.Overlap));
            }
            area += (next.FalsePositives - last.FalsePositives) * (last.Overlap + next.Overlap) / 2;
            last = next;
            if (last.FalsePositives >= end) break;
        }
        return area / regions / end;
    }
}
