using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>The keys in the database.</summary>
internal sealed partial class KeyStore(IDbContextFactory<PadimDbContext> contexts, KeyRing ring, TimeProvider time)
{
    /// <summary>Creates a key. Its text is not stored.</summary>
    public async Task<Outcome<CreatedKey>> CreateAsync(KeyRequest request, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        // Other actors of the audit trail contain a colon or have this name.
        if (request.Name is not { } name || !NamePattern().IsMatch(name) || name == Caller.AnonymousName)
            return Problems.InvalidRequest(
                "name must have 1 to 64 letters, digits, spaces, '.', '_' or '-', start with a letter or "
                    + $"digit, and not be '{Caller.AnonymousName}'."
            );
        if (request.Scope is not { } scope)
            return Problems.InvalidRequest("scope must be score, review, train or admin.");
        if (request.Categories is { Length: 0 or > 1000 })
            return Problems.InvalidRequest("categories must have 1 to 1000 names; omit it for all categories.");
        if (
            request.Categories?.FirstOrDefault(category => category is null || !CategoryName.IsValid(category)) is
            { } wrong
        )
            return Problems.InvalidName(wrong);
        if (request.Categories?.Contains(null!) is true)
            return Problems.InvalidName("");
        if (request.ExpiresAt <= now)
            return Problems.InvalidRequest("expiresAt must be in the future.");
        var (id, text) = KeyText.Create();
        var key = new ApiKey
        {
            Id = id,
            Name = name,
            Sha256 = KeyText.Hash(text),
            Scope = scope,
            Categories = request.Categories?.Distinct(StringComparer.Ordinal).ToArray(),
            CreatedAt = now.UtcDateTime,
            ExpiresAt = request.ExpiresAt?.UtcDateTime,
        };
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var wanted = key.Categories ?? [];
        var known =
            wanted.Length == 0
                ? []
                : await db
                    .Categories.Where(category => wanted.Contains(category.Name))
                    .Select(category => category.Name)
                    .ToListAsync(cancellationToken);
        // Last, so that no key is stored whose text was never returned.
        db.Add(key);
        await db.SaveChangesAsync(cancellationToken);
        ring.Invalidate();
        return new CreatedKey(
            text,
            key,
            [
                .. wanted
                    .Except(known, StringComparer.Ordinal)
                    .Select(name => $"The category '{name}' does not exist yet; the key applies once it is created."),
            ]
        );
    }

    public async Task<Outcome<ApiKey>> GetAsync(string id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.ApiKeys.AsNoTracking().SingleOrDefaultAsync(key => key.Id == id, cancellationToken) is { } key
            ? key
            : Problems.KeyNotFound(id);
    }

    /// <summary>Gets keys by identifier, including revoked and expired ones.</summary>
    public async Task<Page<KeyResponse>> ListAsync(PageRequest page, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await db
            .ApiKeys.AsNoTracking()
            .Where(key => string.Compare(key.Id, page.After) > 0)
            .OrderBy(key => key.Id)
            .Take(page.Limit + 1)
            .ToListAsync(cancellationToken);
        return page.Cut(rows, key => key.Id, KeyResponse.From);
    }

    /// <summary>
    /// Revokes a key permanently. Returns whether it was already revoked, in which case it is unchanged.
    /// </summary>
    public async Task<Outcome<(ApiKey Key, bool Before)>> RevokeAsync(string id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var now = time.GetUtcNow().UtcDateTime;
        var revoked = await db
            .ApiKeys.Where(key => key.Id == id && key.RevokedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(key => key.RevokedAt, now), cancellationToken);
        ring.Invalidate();
        return (await GetAsync(id, CancellationToken.None)).Succeeded(out var key, out var problem)
            ? (key, revoked == 0)
            : problem;
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();
}
