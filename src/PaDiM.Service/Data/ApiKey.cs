using System.ComponentModel.DataAnnotations;
using PaDiM.Service.Http;

namespace PaDiM.Service.Data;

/// <summary>
/// A key as it is kept: what it opens, never the key itself. Revoked ones stay, so that access does not fall open with
/// the last.
/// </summary>
internal sealed class ApiKey
{
    /// <summary>Characters of an identifier.</summary>
    public const int IdLength = 12;

    [MaxLength(IdLength)]
    public required string Id { get; init; }

    [MaxLength(64)]
    public required string Name { get; init; }

    /// <summary>Of the whole text of the key.</summary>
    [MaxLength(64)]
    public required string Sha256 { get; init; }

    public AccessScope Scope { get; init; }

    /// <summary>The only categories that it opens; null for all.</summary>
    public string[]? Categories { get; init; }

    public DateTime CreatedAt { get; init; }

    public DateTime? ExpiresAt { get; init; }

    public DateTime? RevokedAt { get; set; }

    /// <summary>Rounded to a minute or so: see the key ring.</summary>
    public DateTime? LastUsedAt { get; set; }
}
