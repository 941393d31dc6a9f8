using PaDiM.Core.Geometry;

namespace PaDiM.Core.Scoring;

/// <summary>Labels 8-connected areas.</summary>
internal static class ConnectedComponents
{
    /// <summary>Numbers the areas of a mask from 1 on, in reading order of their first pixels.</summary>
    /// <param name="mask">Shape <c>(size.Height, size.Width)</c>.</param>
    /// <param name="size">Rows and columns.</param>
    /// <returns>A number a pixel, 0 outside; and how many pixels each number has, index 0 counting those
    /// outside.</returns>
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
            var label = sizes.Count;
            var count = 0;
            labels[start] = label;
            pending.Push(start);
            while (pending.TryPop(out var at))
            {
                count++;
                var y = at / size.Width;
                var x = at % size.Width;
                for (var ny = Math.Max(0, y - 1); ny <= Math.Min(size.Height - 1, y + 1); ny++)
                for (var nx = Math.Max(0, x - 1); nx <= Math.Min(size.Width - 1, x + 1); nx++)
                {
                    var next = ny * size.Width + nx;
                    if (!mask[next] || labels[next] != 0)
                        continue;
                    labels[next] = label;
                    pending.Push(next);
                }
            }
            sizes.Add(count);
        }
        return (labels, sizes);
    }
}
