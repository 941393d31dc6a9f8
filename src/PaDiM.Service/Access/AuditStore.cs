using System.Globalization;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>
/// The audit trail in the database. An entry is written before its change and completed after it: of two writes a crash
/// can come between, and this way round no change is without an entry.
/// </summary>
internal sealed class AuditStore(IDbContextFactory<PadimDbContext> contexts)
{
    /// <summary>Writes that something is about to be done.</summary>
    public async Task<long> BeginAsync(AuditEntry entry, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        db.Add(entry);
        await db.SaveChangesAsync(cancellationToken);
        return entry.Id;
    }

    /// <summary>Writes what became of it.</summary>
    /// <param name="id">The entry.</param>
    /// <param name="status">Status of the answer.</param>
    /// <param name="result">Address of what was made.</param>
    /// <param name="detail">What it was to become, as JSON.</param>
    /// <param name="cancellationToken">Stops writing.</param>
    /// <param name="category">Whose it is, where that was not known before.</param>
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

    /// <summary>Entries, newest first.</summary>
    /// <param name="category">Only of this category.</param>
    /// <param name="actor">Only of this name or key.</param>
    /// <param name="since">Only from then on.</param>
    /// <param name="page">Which of them.</param>
    /// <param name="cancellationToken">Stops reading.</param>
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
