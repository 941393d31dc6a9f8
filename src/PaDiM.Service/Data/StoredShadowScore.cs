using System.ComponentModel.DataAnnotations;
using PaDiM.Service.Http;

namespace PaDiM.Service.Data;

/// <summary>
/// What a candidate made of a photograph that the active version of its category decided. It names the inspection, and
/// nothing of the part: what is deleted there is not known here.
/// </summary>
internal sealed record StoredShadowScore
{
    /// <summary>Sorts by time, as the key of an inspection does.</summary>
    public long Key { get; init; }

    /// <summary>The category whose candidate scored.</summary>
    [MaxLength(CategoryName.MaxLength)]
    public required string Category { get; init; }

    public int Version { get; init; }

    public int ActiveVersion { get; init; }

    /// <summary>The category that the photograph was sent to.</summary>
    [MaxLength(CategoryName.MaxLength)]
    public required string InspectionCategory { get; init; }

    [MaxLength(StoredInspection.MaxId)]
    public required string InspectionId { get; init; }

    public double Score { get; init; }

    public Decision Decision { get; init; }

    public double ShadowScore { get; init; }

    public Decision ShadowDecision { get; init; }

    /// <summary>Whether the decisions are different ones; an index has those.</summary>
    public bool Differs { get; init; }
}

/// <summary>How many photographs a candidate did not score, by replica, so that each adds to a row of its own.</summary>
internal sealed class StoredShadowMiss
{
    [MaxLength(CategoryName.MaxLength)]
    public required string Category { get; init; }

    public int Version { get; init; }

    [MaxLength(253)]
    public required string Replica { get; init; }

    public long Missed { get; init; }
}
