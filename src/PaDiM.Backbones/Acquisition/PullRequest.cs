namespace PaDiM.Backbones.Acquisition;

/// <summary>Represents a backbone to pull, and its source.</summary>
/// <param name="Name">A name in the catalogue, or any name with <see cref="From"/>.</param>
public sealed record PullRequest(string Name)
{
    /// <summary>Gets the URL, file or folder to use instead of the catalogue's origin; null for the origin.</summary>
    public string? From { get; init; }

    /// <summary>Gets the base URL to use instead of the origin's scheme and host; null for the origin's own.</summary>
    public Uri? Mirror { get; init; }

    /// <summary>
    /// Gets the folder with files that are already downloaded, which is searched before anything is downloaded; null
    /// for none.
    /// </summary>
    public string? Folder { get; init; }

    /// <summary>Gets whether downloads are off.</summary>
    public bool Offline { get; init; }

    /// <summary>
    /// Gets whether to replace a backbone with other bytes, and to accept a file whose hash is not the recorded one.
    /// The catalogue's own hash is always checked.
    /// </summary>
    public bool Force { get; init; }
}
