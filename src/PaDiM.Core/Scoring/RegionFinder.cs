namespace PaDiM.Core.Scoring;

/// <summary>Finds the 8-connected areas of a map at or above a threshold.</summary>
public static class RegionFinder
{
    /// <summary>
    /// Finds the areas, in the map's own pixels, highest peak score first. Cost: a few visits per pixel, or one pass if
    /// no pixel reaches the threshold.
    /// </summary>
    public static IReadOnlyList<AnomalyRegion> Find(AnomalyMap map, double threshold)
    {
        if (map.Max() < threshold)
            return [];
        var values = map.Values;
        var (labels, sizes) = ConnectedComponents.Label(
            Array.ConvertAll(values, value => value >= threshold),
            map.Grid
        );
        var bounds = new Bounds[sizes.Count];
        for (var i = 0; i < values.Length; i++)
            if (labels[i] > 0)
                (bounds[labels[i]] ??= new Bounds()).Include(i % map.Grid.Width, i / map.Grid.Width, values[i]);
        return
        [
            .. bounds
                .Skip(1)
                .Select((box, i) => box.ToRegion(sizes[i + 1]))
                .OrderByDescending(region => region.PeakScore),
        ];
    }

    private sealed class Bounds
    {
        private int _left = int.MaxValue,
            _top = int.MaxValue,
            _right,
            _bottom;
        private float _peak;

        public void Include(int x, int y, float score)
        {
            _left = Math.Min(_left, x);
            _top = Math.Min(_top, y);
            _right = Math.Max(_right, x);
            _bottom = Math.Max(_bottom, y);
            _peak = Math.Max(_peak, score);
        }

        public AnomalyRegion ToRegion(int area) =>
            new(_left, _top, _right - _left + 1, _bottom - _top + 1, area, _peak);
    }
}
