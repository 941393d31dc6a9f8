namespace PaDiM.Service.Maintenance;

/// <summary>How scrubbing stands.</summary>
/// <param name="Running">A scrub is under way in this process.</param>
/// <param name="Checked">Files read by it so far; 0 when none is under way.</param>
/// <param name="LastReport">What the last one found, whichever process ran it; null before the first.</param>
internal sealed record ScrubResponse(bool Running, int Checked, ScrubReport? LastReport);

/// <summary>What a scrub found.</summary>
/// <param name="StartedAt">When it began.</param>
/// <param name="FinishedAt">When it ended.</param>
/// <param name="Database">`ok`, or what SQLite's own check of the database complains about first.</param>
/// <param name="Checked">Files that rows speak of, all of them read.</param>
/// <param name="Bytes">Bytes read.</param>
/// <param name="Missing">Files that are not there, or cannot be read.</param>
/// <param name="Damaged">Files whose bytes are not what they were.</param>
/// <param name="Mended">Damaged or missing model files that were written anew from the model in memory.</param>
/// <param name="Orphans">Files that nothing refers to, older than the time of grace; the next sweep removes
/// them.</param>
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
    /// <summary>Nothing is lost: orphans are leftovers, and what was mended is whole.</summary>
    public bool IsClean() => Database == "ok" && Missing.Count == 0 && Damaged.Count == 0;
}

/// <summary>Files of one kind of finding.</summary>
/// <param name="Count">How many.</param>
/// <param name="Files">The first hundred.</param>
internal sealed record ScrubFindings(int Count, IReadOnlyList<ScrubbedFile> Files)
{
    private const int Listed = 100;

    public static ScrubFindings Of(IReadOnlyCollection<ScrubbedFile> files) =>
        new(files.Count, [.. files.Take(Listed)]);
}

/// <summary>A file of the data directory.</summary>
/// <param name="Path">Within the data directory.</param>
/// <param name="Kind">What it holds; null for an orphan.</param>
/// <param name="Category">For which category; null for an orphan.</param>
internal sealed record ScrubbedFile(string Path, FileKind? Kind, string? Category);
