using System.Globalization;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>
/// The audit trail in the database. An entry is written before its change and completed after it: a crash can fall
/// between the two writes, and in this order no change is without an entry.
/// </summary>
internal sealed class AuditStore(IDbContextFactory<PadimDbContext> contexts)
{
    /// <summary>Creates an entry before its change.</summary>
    public async Task<long> BeginAsync(AuditEntry entry, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        db.Add(entry);
        await db.SaveChangesAsync(cancellationToken);
        return entry.Id;
    }

    /// <summary>Completes an entry after its change.</summary>
    /// <param name="id">Identifier of the entry.</param>
    /// <param name="status">Status of the response.</param>
    /// <param name="result">URL of the created resource.</param>
    /// <param name="detail">The new value, as JSON.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <param name="category">The category, if it was not known before.</param>
    public async Task EndAsync(
        long id,
        int status,
        string? result,
        string? detail,
        CancellationToken cancellationToken,
        string? category = null
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await db
            .AuditEntries.Where(entry => entry.Id == id)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(entry => entry.Status, status)
                        .SetProperty(entry => entry.Result, result)
                        .SetProperty(entry => entry.Detail, detail)
                        .SetProperty(entry => entry.Category, entry => category ?? entry.Category),
                cancellationToken
            );
    }

    /// <summary>Gets entries, newest first.</summary>
    /// <param name="category">Filters by category.</param>
    /// <param name="actor">Filters by the actor's name or key.</param>
    /// <param name="since">Earliest time.</param>
    /// <param name="page">The page to return.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<Page<AuditResponse>> ListAsync(
        string? category,
        string? actor,
        DateTime? since,
        PageRequest page,
        CancellationToken cancellationToken
    )
    {
        var before =
            page.After.Length == 0 ? long.MaxValue
            : long.TryParse(page.After, CultureInfo.InvariantCulture, out var id) ? id
            : 0;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await db
            .AuditEntries.AsNoTracking()
            .Where(entry =>
                entry.Id < before
                && (category == null || entry.Category == category)
                && (actor == null || entry.Actor == actor || entry.KeyId == actor)
                && (since == null || entry.At >= since)
            )
            .OrderByDescending(entry => entry.Id)
            .Take(page.Limit + 1)
            .ToListAsync(cancellationToken);
        return page.Cut(rows, entry => entry.Id.ToString(CultureInfo.InvariantCulture), AuditResponse.From);
    }
}
