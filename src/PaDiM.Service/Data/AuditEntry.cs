using System.ComponentModel.DataAnnotations;
using PaDiM.Service.Http;

namespace PaDiM.Service.Data;

/// <summary>An entry of the audit trail: who requested what, when, and with which result.</summary>
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

    /// <summary>Truncates a path to the size of the column.</summary>
    public static string Shorten(string target) => target.Length > MaxTarget ? target[..MaxTarget] : target;

    /// <summary>Status of the response; null until it is sent, and permanently if the process ended before.</summary>
    public int? Status { get; set; }

    /// <summary>URL of the created resource.</summary>
    [MaxLength(MaxTarget)]
    public string? Result { get; set; }

    /// <summary>The new value, as JSON.</summary>
    public string? Detail { get; set; }
}
