namespace PaDiM.TestSupport.Reference;

/// <summary>
/// The slow twin of region finding: every pixel starts with a label of its own, and neighbours agree on the smaller one
/// until none changes.
/// </summary>
public static class ReferenceRegions
{
    /// <summary>
    /// Labels of 8-connected areas where value >= threshold, 0 elsewhere; a label is 1 + the first index of its area.
    /// </summary>
    public static int[,] Label(double[,] map, double threshold)
    {
        var height = map.GetLength(0);
        var width = map.GetLength(1);
        var labels = new int[height, width];
        for (var y = 0; y < height; y++)
        for (var x = 0; x < width; x++)
            labels[y, x] = map[y, x] >= threshold ? 1 + y * width + x : 0;
        for (var changed = true; changed; )
        {
            changed = false;
            for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            for (var dy = -1; dy <= 1; dy++)
            for (var dx = -1; dx <= 1; dx++)
            {
                if (y + dy < 0 || y + dy >= height || x + dx < 0 || x + dx >= width)
                    continue;
                if (labels[y, x] == 0 || labels[y + dy, x + dx] == 0 || labels[y + dy, x + dx] >= labels[y, x])
                    continue;
                labels[y, x] = labels[y + dy, x + dx];
                changed = true;
            }
        }
        return labels;
    }
}
