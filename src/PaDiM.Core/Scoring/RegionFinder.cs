using PaDiM.Core.Geometry;

namespace PaDiM.Core.Scoring;

/// <summary>Finds the 8-connected areas of a map at or above a threshold.</summary>
public static class RegionFinder
{
    /// <summary>The most corners of a contour.</summary>
    public const int MaxContourCorners = 200;

    /// <summary>
    /// Gets how far a contour with fewer than <see cref="MaxContourCorners"/> corners may lie from the edge of its
    /// area, in pixels: 1 % of the side of a square with that area, at most 1.
    /// </summary>
    public static double GetContourTolerance(int area) => Math.Min(1, 0.01 * Math.Sqrt(area));

    /// <summary>
    /// Finds the areas, in the map's own pixels, highest peak score first. Cost: a few visits per pixel, or one pass if
    /// no pixel reaches the threshold.
    /// </summary>
    /// <param name="map">The scores.</param>
    /// <param name="threshold">Scores at or above it belong to an area.</param>
    /// <param name="contours">Whether to trace the contours as well.</param>
    public static IReadOnlyList<AnomalyRegion> Find(AnomalyMap map, double threshold, bool contours = false)
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
                (bounds[labels[i]] ??= new Bounds(i)).Include(i % map.Grid.Width, i / map.Grid.Width, values[i]);
        return
        [
            .. bounds
                .Skip(1)
                .Select(
                    (box, i) =>
                        box.ToRegion(sizes[i + 1], contours ? Trace(labels, map.Grid, box.First, sizes[i + 1]) : null)
                )
                .OrderByDescending(region => region.PeakScore),
        ];
    }

    private static float[][] Trace(int[] labels, Grid size, int first, int area) =>
        [
            .. ContourSimplifier
                // The tracer's corners are in half pixels.
                .Simplify(ContourTracer.Trace(labels, size, first), 2 * GetContourTolerance(area), MaxContourCorners)
                .Select(corner => new[] { corner.X / 2f, corner.Y / 2f }),
        ];

    /// <summary>Represents what is known of an area.</summary>
    /// <param name="first">Its first pixel in reading order.</param>
    private sealed class Bounds(int first)
    {
        private int _left = int.MaxValue,
            _top = int.MaxValue,
            _right,
            _bottom;
        private float _peak;

        public int First { get; } = first;

        public void Include(int x, int y, float score)
        {
            _left = Math.Min(_left, x);
            _top = Math.Min(_top, y);
            _right = Math.Max(_right, x);
            _bottom = Math.Max(_bottom, y);
            _peak = Math.Max(_peak, score);
        }

        public AnomalyRegion ToRegion(int area, float[][]? contour) =>
            new(_left, _top, _right - _left + 1, _bottom - _top + 1, area, _peak, contour);
    }
}
