using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>A key to be made.</summary>
internal sealed record KeyRequest
{
    /// <summary>
    /// Who will use it, as the audit trail will call them: 1 to 64 letters, digits, spaces, '.', '_' or '-', beginning
    /// with a letter or digit.
    /// </summary>
    public string? Name { get; init; }

    /// <summary><c>score</c>, <c>train</c> or <c>admin</c>; each includes the ones before it.</summary>
    public AccessScope? Scope { get; init; }

    /// <summary>The only categories that it opens, which need not exist yet; all when left out.</summary>
    public string[]? Categories { get; init; }

    /// <summary>When it ends; never when left out.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>A key, without the key itself.</summary>
/// <param name="Id">Identifier: the middle part of the key.</param>
/// <param name="Name">Who uses it.</param>
/// <param name="Scope"><c>score</c>, <c>train</c> or <c>admin</c>; each includes the ones before it.</param>
/// <param name="Categories">The only categories that it opens; null for all.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">When it ends; null for never.</param>
/// <param name="RevokedAt">When it was revoked; null for a key that works.</param>
/// <param name="LastUsedAt">When it was last used, to within five minutes; null for never.</param>
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

/// <summary>A key that has just been made.</summary>
/// <param name="Key">The key: it is shown this once.</param>
/// <param name="About">What it opens.</param>
/// <param name="Warnings">What may not be meant so, a sentence each: categories that do not exist yet. The key is made
/// all the same.</param>
internal sealed record NewKeyResponse(string Key, KeyResponse About, IReadOnlyList<string> Warnings);

/// <summary>A key that has just been made, as the store gives it.</summary>
/// <param name="Text">The key itself.</param>
/// <param name="Key">Its row.</param>
/// <param name="Warnings">What may not be meant so.</param>
internal sealed record MadeKey(string Text, ApiKey Key, IReadOnlyList<string> Warnings);
