using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Data;

/// <summary>A receiver of inspections, as every replica reads it.</summary>
internal sealed class Sink
{
    public const int MaxNameLength = 64;

    [MaxLength(MaxNameLength)]
    public required string Name { get; init; }

    /// <summary>What was asked for, as JSON, without its secrets.</summary>
    public required string Settings { get; set; }

    /// <summary>The secrets, sealed; null without any.</summary>
    public string? Secrets { get; set; }

    /// <summary>Differs after every change.</summary>
    [MaxLength(32)]
    public required string Revision { get; set; }

    public DateTime CreatedAt { get; init; }

    public DateTime ChangedAt { get; set; }
}
