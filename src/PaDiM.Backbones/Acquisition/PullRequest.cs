namespace PaDiM.Backbones.Acquisition;

/// <summary>What is to be pulled, and from where.</summary>
/// <param name="Name">A name of the catalogue; with <see cref="From"/> any name.</param>
public sealed record PullRequest(string Name)
{
    /// <summary>Address, file or folder in place of the catalogue's origin; null for the origin.</summary>
    public string? From { get; init; }

    /// <summary>Base address in place of the origin's scheme and host; null for the origin's own.</summary>
    public Uri? Mirror { get; init; }

    /// <summary>
    /// Folder of files that have been downloaded already, searched before the network is asked; null for none.
    /// </summary>
    public string? Folder { get; init; }

    /// <summary>Nothing is asked of the network.</summary>
    public bool Offline { get; init; }

    /// <summary>
    /// Replace a backbone of other bytes, and accept a file of another hash than the recorded one; the catalogue's own
    /// hash holds all the same.
    /// </summary>
    public bool Force { get; init; }
}
