namespace PaDiM.Service.Sinks;

/// <summary>A folder of the machine, with a CSV file per day.</summary>
internal sealed record FolderRequest
{
    /// <summary>Whether the images are written beside the lines.</summary>
    public bool Images { get; init; }

    /// <summary>Size from which the next file of the day begins, in bytes, 1024 to 1073741824.</summary>
    public long MaxFileBytes { get; init; } = 64 << 20;

    /// <summary>Days that are kept, 1 to 36500; older ones are removed with their images. All if omitted.</summary>
    public int? KeepDays { get; init; }

    /// <summary>Gets what is wrong with the settings, as a sentence; null if nothing is.</summary>
    public string? FindFault() =>
        MaxFileBytes is < 1024 or > 1 << 30 ? "folder.maxFileBytes must be from 1024 to 1073741824."
        : KeepDays is < 1 or > 36500 ? "folder.keepDays must be from 1 to 36500; omit it to keep all."
        : null;
}

/// <summary>A folder.</summary>
/// <param name="Path">Where it is on each replica.</param>
/// <param name="Images">Whether the images are written beside the lines.</param>
/// <param name="MaxFileBytes">Size from which the next file of the day begins, in bytes.</param>
/// <param name="KeepDays">Days that are kept; null for all.</param>
internal sealed record FolderResponse(string Path, bool Images, long MaxFileBytes, int? KeepDays);
