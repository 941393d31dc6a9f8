using System.ComponentModel.DataAnnotations;
using PaDiM.Service.Http;

namespace PaDiM.Service.Data;

/// <summary>
/// A product to inspect, as requested. The ready-to-use counterpart is <c>CategoryModel</c>.
/// </summary>
internal sealed class Category
{
    [MaxLength(CategoryName.MaxLength)]
    public required string Name { get; init; }

    public required CategorySettings Settings { get; set; }

    /// <summary>The category whose images this one is fitted to and evaluated on: another one or itself.</summary>
    public string ImageSource => Settings.ImagesOf ?? Name;

    /// <summary>Accepted share of false rejects; determines the calibrated threshold.</summary>
    public double FalseRejectRate { get; set; }

    /// <summary>Blob of the ignore mask for the next fit; null if all pixels count.</summary>
    [MaxLength(64)]
    public string? IgnoreMaskSha256 { get; set; }

    /// <summary>Whether the active model stays in memory.</summary>
    public bool Pinned { get; set; }

    /// <summary>The active version; null before the first fit.</summary>
    public int? ActiveVersion { get; set; }

    /// <summary>The highest version ever assigned; numbers are not reused.</summary>
    public int LastVersion { get; set; }

    /// <summary>The version that scores in the shadow of the active one; null for none.</summary>
    public int? ShadowVersion { get; set; }

    /// <summary>Since when it does; null for none.</summary>
    public DateTime? ShadowSince { get; set; }

    /// <summary>
    /// Increases with every change that affects scoring, on any replica. It starts at the ticks of the creation time,
    /// so that a category of the same name does not repeat the revisions of a deleted one.
    /// </summary>
    public long Revision { get; set; }

    public DateTime CreatedAt { get; init; }

    public DateTime UpdatedAt { get; set; }

    /// <summary>Lets a version score in the shadow of the active one.</summary>
    public void StartShadow(int version, DateTime now)
    {
        ShadowVersion = version;
        ShadowSince = now;
        Revision++;
    }

    /// <summary>Ends the shadow.</summary>
    public void EndShadow()
    {
        ShadowVersion = null;
        ShadowSince = null;
        Revision++;
    }
}

/// <summary>A change of the threshold: who, when, and from which value to which.</summary>
internal sealed class ThresholdChange
{
    public const int MaxReason = 200;

    public int Id { get; init; }

    [MaxLength(CategoryName.MaxLength)]
    public required string Category { get; init; }

    public DateTime At { get; init; }

    [MaxLength(200)]
    public required string Who { get; init; }

    /// <summary>The active version at the time; null if there was none.</summary>
    public int? ModelVersion { get; init; }

    public double FalseRejectRate { get; init; }

    /// <summary>The threshold set manually; null for the calibrated one.</summary>
    public double? Threshold { get; init; }

    /// <summary>Why, in the caller's words; null if they did not say.</summary>
    [MaxLength(MaxReason)]
    public string? Reason { get; init; }
}
