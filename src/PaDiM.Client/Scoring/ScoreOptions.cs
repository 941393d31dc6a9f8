namespace PaDiM.Client;

/// <summary>What to score with, what the answer shall hold, and what the part is called.</summary>
public sealed record ScoreOptions
{
    /// <summary>Gets the version of the model, from 1; null for the active one. Others are trials.</summary>
    public int? Model { get; init; }

    /// <summary>Gets the picture to add to the answer; null for none.</summary>
    public HeatmapStyle? Heatmap { get; init; }

    /// <summary>Gets whether regions have their contours.</summary>
    public bool Contours { get; init; }

    /// <summary>Gets how many bits count in samples of more than 8; null as the category says.</summary>
    public int? SignificantBits { get; init; }

    /// <summary>Gets your name of the part, such as its serial number; at most 128 characters.</summary>
    public string? PartId { get; init; }

    /// <summary>Gets your name of the station; at most 128 characters.</summary>
    public string? StationId { get; init; }

    /// <summary>Gets your name of the lot; at most 128 characters.</summary>
    public string? LotId { get; init; }

    /// <summary>
    /// Gets your identifier of the inspection: 1 to 64 letters, digits, dots, hyphens and underscores. Null for a new
    /// one, so that a request that is sent twice is kept once.
    /// </summary>
    public string? InspectionId { get; init; }

    /// <summary>
    /// Gets how long a score is of use, at least a millisecond; null for as long as
    /// <see cref="PadimClientOptions.Timeout"/>. Retries included: each carries what is left, and the service stops
    /// working on an image whose deadline has passed.
    /// </summary>
    public TimeSpan? Deadline { get; init; }
}
