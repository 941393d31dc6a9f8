using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Datasets;

/// <summary>Limits of archives that are imported. The archive itself is bound by <c>MaxUploadBytes</c>.</summary>
internal sealed class DatasetOptions
{
    /// <summary>Most entries of an archive, folders included.</summary>
    [Range(1, 1_000_000)]
    public int MaxArchiveEntries { get; set; } = 100_000;

    /// <summary>Most bytes that the entries of an archive expand to, together.</summary>
    [Range(1024, long.MaxValue)]
    public long MaxArchiveExpandedBytes { get; set; } = 16L << 30;

    /// <summary>
    /// How many times its own size an archive may expand to. An archive that expands to no more than
    /// <c>MaxImageBytes</c> is read in any case: a single plain bitmap shrinks a thousandfold.
    /// </summary>
    [Range(2, 100_000)]
    public int MaxArchiveRatio { get; set; } = 200;
}
