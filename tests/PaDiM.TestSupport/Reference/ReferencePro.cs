namespace PaDiM.TestSupport.Reference;

/// <summary>
/// Area under the per-region-overlap curve by its definition: every threshold in turn, every region by itself.
/// </summary>
public static class ReferencePro
{
    /// <summary>The area up to a false-positive rate, divided by it.</summary>
    /// <param name="images">Scores and masks, row-major; pixels whose score is not a number are dropped, as if the
    /// images had holes there.</param>
    /// <param name="width">Columns of every image.</param>
    /// <param name="limit">The false-positive rate.</param>
    public static double AuPro(IReadOnlyList<(float[] Scores, bool[] Mask)> images, int width, double limit)
    {
        var regions = images
            .SelectMany(
                (image, i) =>
                    Regions([.. image.Mask.Select((m, p) => m && !float.IsNaN(image.Scores[p]))], width)
                        .Select(region => (Image: i, Pixels: region))
            )
            .ToArray();
        var normals = images
            .SelectMany(image => image.Scores.Where((score, p) => !image.Mask[p] && !float.IsNaN(score)))
            .ToArray();
        var thresholds = images
            .SelectMany(image => image.Scores.Where(score => !float.IsNaN(score)))
            .Distinct()
            .OrderDescending();
        var curve = thresholds
            .Select(threshold =>
                (
                    Fpr: (double)normals.Count(score => score >= threshold) / normals.Length,
                    Pro: regions.Average(region =>
                        (double)region.Pixels.Count(p => images[region.Image].Scores[p] >= threshold)
                        / region.Pixels.Count
                    )
                )
            )
            .Prepend((0, 0))
            .ToArray();
        var area = 0.0;
        for (var i = 1; i < curve.Length; i++)
        {
            var ((x0, y0), (x1, y1)) = (curve[i - 1], curve[i]);
            if (x0 >= limit)
                break;
            if (x1 > limit)
                (x1, y1) = (limit, y0 + (y1 - y0) * (limit - x0) / (x1 - x0));
            area += (x1 - x0) * (y0 + y1) / 2;
        }
        return area / limit;
    }

    /// <summary>8-connected areas, by merging neighbours until nothing changes.</summary>
    private static List<List<int>> Regions(bool[] mask, int width)
    {
        var regions = Enumerable.Range(0, mask.Length).Where(p => mask[p]).Select(p => new List<int> { p }).ToList();
        for (var merged = true; merged; )
        {
            merged = false;
            for (var a = 0; a < regions.Count && !merged; a++)
            for (var b = a + 1; b < regions.Count && !merged; b++)
            {
                if (
                    !regions[a]
                        .Any(p =>
                            regions[b]
                                .Any(q => Math.Abs(p / width - q / width) <= 1 && Math.Abs(p % width - q % width) <= 1)
                        )
                )
                    continue;
                regions[a].AddRange(regions[b]);
                regions.RemoveAt(b);
                merged = true;
            }
        }
        return regions;
    }
}
