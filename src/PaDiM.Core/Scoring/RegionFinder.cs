namespace PaDiM.Core.Scoring;

/// <summary>Finds the 8-connected areas of a map that reach a threshold.</summary>
public static class RegionFinder
{
    /// <summary>Areas by falling peak score, in the map's own pixels. Cost: one visit a pixel.</summary>
    public static IReadOnlyList<AnomalyRegion> Find(AnomalyMap map, double threshold)
    {
        var (height, width, values) = (map.Grid.Height, map.Grid.Width, map.Values);
        var seen = new bool[values.Length];
        var pending = new Stack<int>();
        var regions = new List<AnomalyRegion>();
        for (var start = 0; start < values.Length; start++)
        {
            if (seen[start] || !(values[start] >= threshold)) continue;
            var (left, right, top, bottom, area, peak) = (width, -1, height, -1, 0, 0f);
            seen[start] = true;
            pending.Push(start);
            while (pending.TryPop(out var at))
            {
                var (y, x) = (at / width, at % width);
                (left, right, top, bottom) = (Math.Min(left, x), Math.Max(right, x), Math.Min(top, y), Math.Max(bottom, y));
                (area, peak) = (area + 1, Math.Max(peak, values[at]));
                for (var ny = Math.Max(0, y - 1); ny <= Math.Min(height - 1, y + 1); ny++)
                    for (var nx = Math.Max(0, x - 1); nx <= Math.Min(width - 1, x + 1); nx++)
                    {
                        var next = ny * width + nx;
                        if (seen[next] || !(values[next] >= threshold)) continue;
                        seen[next] = true;
                        pending.Push(next);
                    }
            }
            regions.Add(new AnomalyRegion(left, top, right - left + 1, bottom - top + 1, area, peak));
        }
        return [.. regions.OrderByDescending(r => r.PeakScore)];
    }
}
