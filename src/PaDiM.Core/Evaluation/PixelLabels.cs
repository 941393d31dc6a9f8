using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;

namespace PaDiM.Core.Evaluation;

/// <summary>
/// What each pixel of a test image counts as: normal, part of a defect region, or nothing. Kept as runs of pixels that
/// are not normal, so that the labels of a usual mask are small enough to be kept for a thousand images. Immutable,
/// thread-safe.
/// </summary>
public sealed class PixelLabels
{
    /// <summary>The region of a run that is left out of every measure.</summary>
    internal const int Ignored = 0;

    /// <summary>Pixels of each region; index 0 is no region.</summary>
    private readonly int[] _sizes = [0];

    /// <summary>Labels of a mask. Cost: one visit of each pixel.</summary>
    /// <param name="size">Rows and columns.</param>
    /// <param name="mask">Shape <c>(size.Height, size.Width)</c>, true where the defect is; null for a normal
    /// image.</param>
    /// <param name="ignored"> The same shape, true where a pixel counts neither as normal nor as anomalous; null where
    /// all count. Regions are what is left of the mask: a strip that is ignored may part one defect into two, and a
    /// defect that is ignored as a whole is none. </param>
    /// <exception cref="ArgumentException">The mask, or what is ignored, has another size.</exception>
    public PixelLabels(Grid size, bool[]? mask, bool[]? ignored = null)
    {
        Size = size;
        if (mask is not null)
            Shapes.CheckLength(mask, size.Positions);
        if (ignored is not null)
            Shapes.CheckLength(ignored, size.Positions);
        if (mask is null && ignored is null)
            return;
        mask ??= new bool[size.Positions];
        var (labels, counts) = ConnectedComponents.Label(ignored is null ? mask : Exclude(mask, ignored), size);
        _sizes = [.. counts];
        Runs = [.. FindRuns(labels, ignored)];
    }

    /// <summary>Rows and columns.</summary>
    public Grid Size { get; }

    /// <summary>Number of defect regions: 8-connected areas of what counts of the mask.</summary>
    public int Regions => _sizes.Length - 1;

    /// <summary>Bytes that are kept: 12 for each stretch of pixels, in reading order, that are not normal.</summary>
    public long Bytes => 12L * Runs.Length;

    /// <summary>Pixels that are not normal, in reading order; all between them are.</summary>
    internal Run[] Runs { get; } = [];

    /// <summary>The share of its region that each pixel of a run is: 1 / pixels of the region.</summary>
    internal double GetPixelShare(Run run) => 1.0 / _sizes[run.Region];

    private static bool[] Exclude(bool[] mask, bool[] ignored)
    {
        var counted = new bool[mask.Length];
        for (var i = 0; i < counted.Length; i++)
            counted[i] = mask[i] && !ignored[i];
        return counted;
    }

    private static IEnumerable<Run> FindRuns(int[] labels, bool[]? ignored)
    {
        for (int start = 0, end; start < labels.Length; start = end)
        {
            var region = labels[start];
            var left = ignored?[start] ?? false;
            for (
                end = start + 1;
                end < labels.Length && labels[end] == region && (ignored?[end] ?? false) == left;
                end++
            ) { }
            if (region != 0 || left)
                yield return new Run(start, end, left ? Ignored : region);
        }
    }

    /// <summary>Consecutive pixels, row-major, of one region.</summary>
    /// <param name="Start">The first.</param>
    /// <param name="End">The one after the last.</param>
    /// <param name="Region">From 1 on, or <see cref="Ignored"/>.</param>
    internal readonly record struct Run(int Start, int End, int Region);
}
