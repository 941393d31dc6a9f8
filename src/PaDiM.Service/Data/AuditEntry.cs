using System.ComponentModel.DataAnnotations;
using PaDiM.Service.Http;

namespace PaDiM.Service.Data;

/// <summary>A change: who asked for what, when, and what became of it.</summary>
internal sealed class AuditEntry
{
    public const int MaxTarget = 400;

    public long Id { get; init; }

    public DateTime At { get; init; }

    [MaxLength(200)]
    public required string Actor { get; init; }

    [MaxLength(ApiKey.IdLength)]
    public string? KeyId { get; init; }

    [MaxLength(40)]
    public required string Action { get; init; }

    [MaxLength(CategoryName.MaxLength)]
    public string? Category { get; set; }

    [MaxLength(MaxTarget)]
    public required string Target { get; init; }

    [MaxLength(64)]
    public string? Address { get; init; }

    [MaxLength(64)]
    public string? TraceId { get; init; }

    /// <summary>An address as an entry has room for it.</summary>
    public static string Shorten(string target) => target.Length > MaxTarget ? target[..MaxTarget] : target;

    /// <summary>Status of the answer; null while there is none, and for ever when the process ended before.</summary>
    public int? Status { get; set; }

    /// <summary>What came of it, by its address.</summary>
    [MaxLength(MaxTarget)]
    public string? Result { get; set; }

    /// <summary>What was asked, as JSON.</summary>
    public string? Detail { get; set; }
}
