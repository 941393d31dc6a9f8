using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;

namespace PaDiM.Core.Evaluation;

/// <summary>
/// The label of each pixel of a test image: normal, part of a defect region, or ignored. Stored as runs of pixels that
/// are not normal, so that labels of a thousand images fit into memory. Immutable, thread-safe.
/// </summary>
public sealed class PixelLabels
{
    /// <summary>The region of a run of ignored pixels.</summary>
    internal const int Ignored = 0;

    /// <summary>Number of pixels per region; index 0 is not a region.</summary>
    private readonly int[] _sizes = [0];

    /// <summary>Creates labels from masks. Cost: one flood fill.</summary>
    /// <param name="size">Rows and columns.</param>
    /// <param name="mask">Shape <c>(size.Height, size.Width)</c>, true where the defect is; null for a normal
    /// image.</param>
    /// <param name="ignored">The same shape, true where a pixel counts neither as normal nor as anomalous; null if all
    /// count. Ignored pixels are removed from the mask before it is split into regions: an ignored strip can split a
    /// defect into two regions, and a completely ignored defect is no region.</param>
    /// <exception cref="ArgumentException">A mask has another size.</exception>
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

    /// <summary>Gets the size in rows and columns.</summary>
    public Grid Size { get; }

    /// <summary>Gets the number of defect regions: 8-connected areas of the mask without ignored pixels.</summary>
    public int Regions => _sizes.Length - 1;

    /// <summary>Gets the size in memory: 12 bytes per run.</summary>
    public long Bytes => 12L * Runs.Length;

    /// <summary>Gets the runs of pixels that are not normal, in reading order; all others are normal.</summary>
    internal Run[] Runs { get; } = [];

    /// <summary>Gets the share of a region that each pixel of a run is: 1 / number of pixels in the region.</summary>
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
    /// <param name="Start">Index of the first pixel.</param>
    /// <param name="End">Index after the last pixel.</param>
    /// <param name="Region">Number of the region, from 1, or <see cref="Ignored"/>.</param>
    internal readonly record struct Run(int Start, int End, int Region);
}
