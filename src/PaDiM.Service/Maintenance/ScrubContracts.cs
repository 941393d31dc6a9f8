namespace PaDiM.Service.Maintenance;

/// <summary>The state of scrubbing.</summary>
/// <param name="Running">Whether a scrub is running, on any replica.</param>
/// <param name="Checked">Number of files that it has read so far; 0 if none is running on this replica.</param>
/// <param name="LastReport">Report of the last scrub by any replica; null before the first one.</param>
internal sealed record ScrubResponse(bool Running, int Checked, ScrubReport? LastReport);

/// <summary>The report of a scrub.</summary>
/// <param name="StartedAt">Start time.</param>
/// <param name="FinishedAt">End time.</param>
/// <param name="Database">`ok`, or the first complaint of the database about itself.</param>
/// <param name="Checked">Number of referenced files, all of which were read.</param>
/// <param name="Bytes">Number of bytes read.</param>
/// <param name="Missing">Files that do not exist or cannot be read.</param>
/// <param name="Damaged">Files that do not match their hash.</param>
/// <param name="Mended">Damaged or missing model files that were rewritten from the model in memory.</param>
/// <param name="Orphans">Unreferenced files older than the grace period; the next sweep deletes them.</param>
internal sealed record ScrubReport(
    DateTime StartedAt,
    DateTime FinishedAt,
    string Database,
    int Checked,
    long Bytes,
    ScrubFindings Missing,
    ScrubFindings Damaged,
    ScrubFindings Mended,
    ScrubFindings Orphans
)
{
    /// <summary>Gets whether nothing is lost. Orphans are leftovers, and repaired files are valid.</summary>
    public bool IsClean() => Database == "ok" && Missing.Count == 0 && Damaged.Count == 0;
}

/// <summary>Files with the same kind of finding.</summary>
/// <param name="Count">Number of files.</param>
/// <param name="Files">The first hundred.</param>
internal sealed record ScrubFindings(int Count, IReadOnlyList<ScrubbedFile> Files)
{
    private const int Listed = 100;

    public static ScrubFindings From(IReadOnlyCollection<ScrubbedFile> files) =>
        new(files.Count, [.. files.Take(Listed)]);
}

/// <summary>A file of the data directory.</summary>
/// <param name="Path">Path within the data directory.</param>
/// <param name="Kind">Kind of file; null for an orphan.</param>
/// <param name="Category">Category; null for an orphan.</param>
internal sealed record ScrubbedFile(string Path, FileKind? Kind, string? Category);
