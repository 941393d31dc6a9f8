using PaDiM.Core.Geometry;

namespace PaDiM.Core.Scoring;

/// <summary>
/// Follows the outer edge of a connected area, clockwise, through the middles of the pixel sides on it: marching
/// squares on a mask. The polygon is simple, also where pixels touch at corners only, and its area is that of the
/// pixels, with holes filled, less half a pixel.
/// </summary>
internal static class ContourTracer
{
    /// <summary>Outward directions of the four sides of a pixel, clockwise from the top.</summary>
    private static readonly (int X, int Y)[] Outward = [(0, -1), (1, 0), (0, 1), (-1, 0)];

    /// <summary>Traces one area.</summary>
    /// <param name="labels">The number of each pixel's area, row-major.</param>
    /// <param name="size">Rows and columns.</param>
    /// <param name="first">The area's first pixel in reading order.</param>
    /// <returns>The corners of the polygon in half pixels. Points on a straight line are left out.</returns>
    public static List<(int X, int Y)> Trace(int[] labels, Grid size, int first)
    {
        var label = labels[first];
        var corners = new List<(int X, int Y)>();
        var start = (X: first % size.Width, Y: first / size.Width, Side: 0);
        var at = start;
        do
        {
            Add((2 * at.X + 1 + Outward[at.Side].X, 2 * at.Y + 1 + Outward[at.Side].Y));
            var ahead = (at.Side + 1) % 4;
            var (x, y) = (at.X + Outward[ahead].X, at.Y + Outward[ahead].Y);
            var (diagonalX, diagonalY) = (x + Outward[at.Side].X, y + Outward[at.Side].Y);
            // Pixels that touch at a corner belong together, so the turn outwards comes first.
            at =
                IsInside(diagonalX, diagonalY) ? (diagonalX, diagonalY, (at.Side + 3) % 4)
                : IsInside(x, y) ? (x, y, at.Side)
                : (at.X, at.Y, ahead);
        } while (at != start);
        // The start may lie within a straight line.
        if (corners.Count > 3 && IsStraight(corners[^2], corners[^1], corners[0]))
            corners.RemoveAt(corners.Count - 1);
        if (corners.Count > 3 && IsStraight(corners[^1], corners[0], corners[1]))
            corners.RemoveAt(0);
        return corners;

        bool IsInside(int x, int y) =>
            x >= 0 && x < size.Width && y >= 0 && y < size.Height && labels[y * size.Width + x] == label;

        void Add((int X, int Y) corner)
        {
            if (corners.Count >= 2 && IsStraight(corners[^2], corners[^1], corner))
                corners[^1] = corner;
            else
                corners.Add(corner);
        }
    }

    private static bool IsStraight((int X, int Y) a, (int X, int Y) b, (int X, int Y) c) =>
        (long)(b.X - a.X) * (c.Y - b.Y) == (long)(b.Y - a.Y) * (c.X - b.X);
}
