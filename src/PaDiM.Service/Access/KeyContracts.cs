using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>A request to create a key.</summary>
internal sealed record KeyRequest
{
    /// <summary>
    /// Name of the user or system that will use the key, as shown in the audit trail: 1 to 64 letters, digits, spaces,
    /// '.', '_' or '-', starting with a letter or digit.
    /// </summary>
    public string? Name { get; init; }

    /// <summary><c>score</c>, <c>review</c>, <c>train</c> or <c>admin</c>; each includes the scopes before it.</summary>
    public AccessScope? Scope { get; init; }

    /// <summary>
    /// The only categories that the key may access; they need not exist yet. All categories if omitted.
    /// </summary>
    public string[]? Categories { get; init; }

    /// <summary>Expiry time; never if omitted.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>A key, without its secret.</summary>
/// <param name="Id">Identifier: the middle part of the key.</param>
/// <param name="Name">Name of the user or system that uses the key.</param>
/// <param name="Scope"><c>score</c>, <c>review</c>, <c>train</c> or <c>admin</c>; each includes the scopes before it.</param>
/// <param name="Categories">The only categories that the key may access; null for all.</param>
/// <param name="CreatedAt">Time of creation.</param>
/// <param name="ExpiresAt">Expiry time; null for never.</param>
/// <param name="RevokedAt">Time of revocation; null if the key is not revoked.</param>
/// <param name="LastUsedAt">Time of last use, accurate to five minutes; null if never used.</param>
internal sealed record KeyResponse(
    string Id,
    string Name,
    AccessScope Scope,
    IReadOnlyList<string>? Categories,
    DateTime CreatedAt,
    DateTime? ExpiresAt,
    DateTime? RevokedAt,
    DateTime? LastUsedAt
)
{
    public static KeyResponse From(ApiKey key) =>
        new(key.Id, key.Name, key.Scope, key.Categories, key.CreatedAt, key.ExpiresAt, key.RevokedAt, key.LastUsedAt);
}

/// <summary>A new key.</summary>
/// <param name="Key">The key itself. It is shown only in this response.</param>
/// <param name="About">Permissions of the key.</param>
/// <param name="Warnings">Possible mistakes, one sentence each, such as categories that do not exist yet. The key is
/// created anyway.</param>
internal sealed record NewKeyResponse(string Key, KeyResponse About, IReadOnlyList<string> Warnings);

/// <summary>A new key, as returned by the store.</summary>
/// <param name="Text">The key itself.</param>
/// <param name="Key">Its row.</param>
/// <param name="Warnings">Possible mistakes.</param>
internal sealed record CreatedKey(string Text, ApiKey Key, IReadOnlyList<string> Warnings);
