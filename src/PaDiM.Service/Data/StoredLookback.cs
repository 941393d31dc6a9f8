using System.ComponentModel.DataAnnotations;
using PaDiM.Service.Http;

namespace PaDiM.Service.Data;

/// <summary>What a threshold or a version would have decided about inspections of the past.</summary>
internal sealed class StoredLookback
{
    /// <summary>Equal to the identifier of its job.</summary>
    [MaxLength(32)]
    public required string Id { get; init; }

    [MaxLength(CategoryName.MaxLength)]
    public required string Category { get; init; }

    public int ModelVersion { get; init; }

    public DateTime CreatedAt { get; init; }

    /// <summary>The figures, as JSON.</summary>
    public required string Figures { get; init; }

    /// <summary>The inspections that would be decided differently, as JSON: keys of the ledger, and nothing of a part.</summary>
    public required string Flips { get; init; }
}
