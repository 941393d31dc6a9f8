using PaDiM.Core.Geometry;

namespace PaDiM.Core.Scoring;

/// <summary>Labels the 8-connected areas of a mask.</summary>
internal static class ConnectedComponents
{
    /// <summary>
    /// Numbers the areas of a mask from 1, in reading order of their first pixels. Cost: at most nine visits per pixel.
    /// </summary>
    /// <param name="mask">Shape <c>(size.Height, size.Width)</c>.</param>
    /// <param name="size">Rows and columns.</param>
    /// <returns>The number of each pixel's area, 0 outside of the mask; and the pixels per number, with those outside
    /// of the mask at index 0.</returns>
    public static (int[] Labels, List<int> Sizes) Label(ReadOnlySpan<bool> mask, Grid size)
    {
        var labels = new int[size.Positions];
        var sizes = new List<int> { 0 };
        var pending = new Stack<int>();
        for (var start = 0; start < mask.Length; start++)
        {
            if (!mask[start])
                sizes[0]++;
            if (!mask[start] || labels[start] != 0)
                continue;
            // A flood fill from the first pixel of a new area, with a stack of its own: recursion would overflow the
            // call stack on large areas.
            var label = sizes.Count;
            var count = 0;
            labels[start] = label;
            pending.Push(start);
            while (pending.TryPop(out var pixel))
            {
                count++;
                var y = pixel / size.Width;
                var x = pixel % size.Width;
                // The 3 x 3 neighbourhood, cut off at the border; the pixel itself has a label already.
                for (var ny = Math.Max(0, y - 1); ny <= Math.Min(size.Height - 1, y + 1); ny++)
                for (var nx = Math.Max(0, x - 1); nx <= Math.Min(size.Width - 1, x + 1); nx++)
                {
                    var next = ny * size.Width + nx;
                    if (!mask[next] || labels[next] != 0)
                        continue;
                    // Labelled when pushed, so that no pixel is pushed twice.
                    labels[next] = label;
                    pending.Push(next);
                }
            }
            sizes.Add(count);
        }
        return (labels, sizes);
    }
}
