using System.ComponentModel.DataAnnotations;
using PaDiM.Service.Http;

namespace PaDiM.Service.Data;

/// <summary>
/// A product that is inspected: what was asked for it. The ready-to-use counterpart is <see
/// cref="Models.CategoryModel"/>.
/// </summary>
internal sealed class Category
{
    [MaxLength(CategoryName.MaxLength)]
    public required string Name { get; init; }

    public required CategorySettings Settings { get; set; }

    /// <summary>Share of normal images that may be rejected; the calibrated threshold follows from it.</summary>
    public double FalseRejectRate { get; set; }

    /// <summary>Blob of the ignore mask that the next fit uses; null when all pixels count.</summary>
    [MaxLength(64)]
    public string? IgnoreMaskSha256 { get; set; }

    /// <summary>Its active model stays in memory, whatever else is asked for.</summary>
    public bool Pinned { get; set; }

    /// <summary>The version that scores; null before the first fit.</summary>
    public int? ActiveVersion { get; set; }

    /// <summary>The highest version ever given: numbers are not used twice.</summary>
    public int LastVersion { get; set; }

    /// <summary>
    /// Grows with every change that scoring must see, on whichever replica it was made. It starts at the ticks of the
    /// creation, so that a name that is used again does not repeat the revisions of the category before.
    /// </summary>
    public long Revision { get; set; }

    public DateTime CreatedAt { get; init; }

    public DateTime UpdatedAt { get; set; }
}

/// <summary>A change of the threshold: who, when, from what to what.</summary>
internal sealed class ThresholdChange
{
    public int Id { get; init; }

    [MaxLength(CategoryName.MaxLength)]
    public required string Category { get; init; }

    public DateTime At { get; init; }

    [MaxLength(200)]
    public required string Who { get; init; }

    /// <summary>The model it was meant for; null when there was none yet.</summary>
    public int? ModelVersion { get; init; }

    public double FalseRejectRate { get; init; }

    /// <summary>The threshold set by hand; null for the calibrated one.</summary>
    public double? Threshold { get; init; }
}
