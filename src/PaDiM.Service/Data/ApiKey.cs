using System.ComponentModel.DataAnnotations;
using PaDiM.Service.Http;

namespace PaDiM.Service.Data;

/// <summary>
/// The stored form of a key: its permissions and hash, never the key itself. Revoked keys are kept, so that revoking
/// the last one does not open access.
/// </summary>
internal sealed class ApiKey
{
    /// <summary>Characters of an identifier.</summary>
    public const int IdLength = 12;

    [MaxLength(IdLength)]
    public required string Id { get; init; }

    [MaxLength(64)]
    public required string Name { get; init; }

    /// <summary>Hash of the whole key.</summary>
    [MaxLength(64)]
    public required string Sha256 { get; init; }

    public AccessScope Scope { get; init; }

    /// <summary>The only categories that the key may access; null for all.</summary>
    public string[]? Categories { get; init; }

    public DateTime CreatedAt { get; init; }

    public DateTime? ExpiresAt { get; init; }

    public DateTime? RevokedAt { get; set; }

    /// <summary>Rounded to a minute or so: see the key ring.</summary>
    public DateTime? LastUsedAt { get; set; }
}
