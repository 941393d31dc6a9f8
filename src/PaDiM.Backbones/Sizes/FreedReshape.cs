namespace PaDiM.Backbones.Sizes;

/// <summary>
/// Finds out which extents of a Reshape's result are which of its input's, from the shapes that both have for one
/// image.
/// </summary>
internal static class FreedReshape
{
    private const int Rest = -1;

    /// <summary>Adds the shape of the result for any batch and image size; null if the shapes do not show it.</summary>
    /// <param name="pieces">Adds extents.</param>
    /// <param name="input">Name of the input.</param>
    /// <param name="from">Shape of the input, for one image.</param>
    /// <param name="to">Shape of the result, for one image.</param>
    /// <param name="tokens">The numbers of patches; null if the network has none.</param>
    /// <param name="name">Name of the shape.</param>
    public static string? AddShape(
        DimensionPieces pieces,
        string input,
        long[] from,
        long[] to,
        PatchCounts? tokens,
        string name
    )
    {
        if (Align(from, to) is not { } groups)
            return null;
        var extents = new List<string>();
        var hasRest = false;
        foreach (var (ins, outs) in groups)
            extents.AddRange(GetExtents(ins, outs));
        return pieces.AddShape(name, extents);

        IEnumerable<string> GetExtents(int[] ins, int[] outs)
        {
            if (ins is [var same] && outs is [var at] && from[same] == to[at])
                return [pieces.GetExtent(input, same)];
            if (outs.Length == 1)
                return [pieces.GetProduct([.. ins.Select(axis => pieces.GetExtent(input, axis))])];
            if (
                ins.Length == 1
                && tokens is not null
                && from[ins[0]] == tokens.Count
                && outs.Length == 2
                && to[outs[0]] == tokens.Rows
                && to[outs[1]] == tokens.Columns
            )
                return [pieces.Rows, pieces.Columns];
            // The batch, of one image here, is part of the first extent of both.
            return outs.Select(
                (axis, i) =>
                    i == 0 && ins[0] == 0 && !hasRest && (hasRest = true) ? pieces.GetConstant(Rest)
                    : ins[0] == 0
                    && tokens is not null
                    && to[axis] >= tokens.Count
                    && to[axis] <= tokens.Count + PatchCounts.MostOthers
                        ? pieces.GetTokens((int)(to[axis] - tokens.Count))
                    : pieces.GetConstant(to[axis])
            );
        }
    }

    /// <summary>
    /// Divides the axes of both shapes into the smallest groups of equal products; null if the shapes differ in size.
    /// </summary>
    private static List<(int[] Ins, int[] Outs)>? Align(long[] from, long[] to)
    {
        if (
            from.Contains(0)
            || from.Aggregate(1L, (product, extent) => product * extent)
                != to.Aggregate(1L, (product, extent) => product * extent)
        )
            return null;
        var groups = new List<(int[] Ins, int[] Outs)>();
        int i = 0,
            j = 0;
        while (i < from.Length && j < to.Length)
        {
            List<int> ins = [i],
                outs = [j];
            long left = from[i++],
                right = to[j++];
            while (left != right)
                if (left < right)
                {
                    ins.Add(i);
                    left *= from[i++];
                }
                else
                {
                    outs.Add(j);
                    right *= to[j++];
                }
            groups.Add(([.. ins], [.. outs]));
        }
        // Extents of one that are left over.
        if (groups.Count > 0 && (i < from.Length || j < to.Length))
            groups[^1] = (
                [.. groups[^1].Ins, .. Enumerable.Range(i, from.Length - i)],
                [.. groups[^1].Outs, .. Enumerable.Range(j, to.Length - j)]
            );
        return groups;
    }
}

/// <summary>Represents the patches of an image.</summary>
/// <param name="Rows">Patches of a column.</param>
/// <param name="Columns">Patches of a row.</param>
internal sealed record PatchCounts(int Rows, int Columns)
{
    /// <summary>The most tokens that belong to no patch.</summary>
    public const int MostOthers = 32;

    /// <summary>Gets the number of patches.</summary>
    public int Count => Rows * Columns;
}
