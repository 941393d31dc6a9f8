using System.Globalization;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Objects;

namespace PaDiM.Service.Inspections;

/// <summary>Reads the ledger, and deletes from it.</summary>
internal sealed class InspectionStore(IDatabaseEngine engine, IObjectStore objects)
{
    /// <summary>Rows that are deleted at once: writers wait for a few milliseconds.</summary>
    private const int DeletedRows = 500;

    /// <summary>Gets a page of inspections.</summary>
    /// <param name="query">The filter.</param>
    /// <param name="only">The categories that the caller may see; null for all.</param>
    /// <param name="order">The order.</param>
    /// <param name="page">The page.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<Outcome<Page<InspectionResponse>>> ListAsync(
        InspectionQuery query,
        IReadOnlyList<string>? only,
        InspectionOrder order,
        PageRequest page,
        CancellationToken cancellationToken
    )
    {
        if (!InspectionPosition.TryParse(page.After, order, out var after))
            return Problems.InvalidRequest("cursor must be the nextCursor of an earlier page with the same order.");
        await using var db = engine.CreateLedger();
        // Categories one after the other: each has its index, and few callers may see some but not all.
        var rows = new List<StoredInspection>();
        foreach (var category in query.Category is { } named ? [named] : only ?? (IReadOnlyList<string?>)[null])
        {
            var path = await AccessPaths.ChooseAsync(db, query, category, order, cancellationToken);
            rows.AddRange(
                await query
                    .Filter(db.Inspections.AsNoTracking(), category, path)
                    .InOrder(order, after, path)
                    .Take(page.Limit + 1)
                    .ToListAsync(cancellationToken)
            );
        }
        return page.Cut(
            InspectionPages.Merge(rows, order),
            row => InspectionPosition.Write(row, order),
            InspectionResponse.Create
        );
    }

    /// <summary>Gets rows in the order of their keys, piece by piece, so that no query holds the database for long.</summary>
    public async IAsyncEnumerable<StoredInspection> ReadAsync(
        InspectionQuery query,
        int limit,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        const int piece = 2000;
        InspectionPosition? after = null;
        for (var read = 0; read < limit; )
        {
            await using var db = engine.CreateLedger();
            var path = AccessPaths.ChooseByTime(db, query);
            var rows = await query
                .Filter(db.Inspections.AsNoTracking(), query.Category, path)
                .InOrder(InspectionOrder.Oldest, after, path)
                .Take(Math.Min(piece, limit - read))
                .ToListAsync(cancellationToken);
            foreach (var row in rows)
                yield return row;
            if (rows.Count < piece)
                yield break;
            read += rows.Count;
            after = new InspectionPosition(rows[^1].Key, 0);
        }
    }

    /// <summary>Finds an inspection among the categories that the caller may see.</summary>
    public async Task<Outcome<StoredInspection>> GetAsync(
        string id,
        string? category,
        IReadOnlyList<string>? only,
        CancellationToken cancellationToken
    )
    {
        await using var db = engine.CreateLedger();
        var found = await db
            .Inspections.AsNoTracking()
            .Where(row => row.Id == id && (category == null || row.Category == category))
            .OrderBy(row => row.Category)
            .ToListAsync(cancellationToken);
        found.RemoveAll(row => only?.Contains(row.Category) == false);
        return found switch
        {
            [var one] => one,
            [] => Problems.InspectionNotFound(id),
            _ => Problems.InvalidRequest(
                $"Several categories have an inspection with this identifier; name one: ?category={found[0].Category}."
            ),
        };
    }

    /// <summary>Sets or removes the verdict of an inspection.</summary>
    public async Task SetVerdictAsync(
        long key,
        Verdict? verdict,
        string? defect,
        string? who,
        DateTime? at,
        CancellationToken cancellationToken
    )
    {
        await using var db = engine.CreateLedger();
        await db
            .Inspections.Where(row => row.Key == key)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(row => row.Verdict, verdict)
                        .SetProperty(row => row.Defect, defect)
                        .SetProperty(row => row.VerdictBy, who)
                        .SetProperty(row => row.VerdictAt, at),
                cancellationToken
            );
    }

    /// <summary>
    /// Gets what every category has in the ledger. One statement with a few looks into indexes for each: a query for the
    /// distinct names would read all rows, and one for every name would be thousands. The first row of a category is sought
    /// in an order in which only the right index has it.
    /// </summary>
    public async Task<List<Holding>> ListHoldingsAsync(CancellationToken cancellationToken)
    {
        await using var db = engine.CreateLedger();
        var table = db.GetTableName<StoredInspection>();
        var sql = $"""
            WITH RECURSIVE names AS (
                SELECT MIN("Category") AS name FROM {table}
                UNION ALL
                SELECT (SELECT MIN("Category") FROM {table} WHERE "Category" > names.name) FROM names
                WHERE names.name IS NOT NULL
            )
            SELECT name AS "Category",
                (SELECT "Key" FROM {table} WHERE "Category" >= name ORDER BY "Category", "Key" LIMIT 1) AS "FirstKey",
                CAST(COALESCE((SELECT SUM("ImageBytes") FROM {table}
                    WHERE "Category" = name AND "ImageBytes" IS NOT NULL), 0) AS BIGINT) AS "ImageBytes"
            FROM names WHERE name IS NOT NULL
            """;
        return await db.Database.SqlQueryRaw<Holding>(sql).ToListAsync(cancellationToken);
    }

    /// <summary>Gets the highest key of a category; null if it has no inspection.</summary>
    public async Task<long?> FindLastKeyAsync(string category, CancellationToken cancellationToken)
    {
        await using var db = engine.CreateLedger();
        return await db
            .Inspections.Of(category, AccessPaths.GetBest(db))
            .OrderByDescending(row => row.Category)
            .ThenByDescending(row => row.Key)
            .Select(row => (long?)row.Key)
            .FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>Deletes the inspections of a part; all of its category without one.</summary>
    /// <param name="category">The category.</param>
    /// <param name="part">The part; null for all.</param>
    /// <param name="before">Only those with lower keys.</param>
    /// <param name="cancellationToken">Stops between two pieces.</param>
    /// <returns>The number of rows.</returns>
    public async Task<int> DeleteAsync(string category, string? part, long before, CancellationToken cancellationToken)
    {
        for (var deleted = 0; ; )
        {
            cancellationToken.ThrowIfCancellationRequested();
            await using var db = engine.CreateLedger();
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
            var old = db
                .Inspections.AsNoTracking()
                .Of(category, AccessPaths.GetBest(db))
                .Where(row => row.Key < before);
            var rows = await (part is null ? old : old.Where(row => row.Part == part))
                .OrderBy(row => row.Category)
                .ThenBy(row => row.Key)
                .Select(row => new
                {
                    row.Key,
                    row.Id,
                    row.ImageBytes,
                })
                .Take(DeletedRows)
                .ForUpdate()
                .ToListAsync(cancellationToken);
            if (rows.Count == 0)
                return deleted;
            var keys = rows.Select(row => row.Key).ToList();
            deleted += await db.Inspections.Where(row => keys.Contains(row.Key)).ExecuteDeleteAsync(cancellationToken);
            var ids = rows.Select(row => row.Id).ToList();
            await db
                .ShadowScores.Where(row => row.InspectionCategory == category && ids.Contains(row.InspectionId))
                .ExecuteDeleteAsync(cancellationToken);
            await transaction.CommitAsync(CancellationToken.None);
            // An image that is left if the process ends here has no row, and is swept.
            foreach (var row in rows.Where(row => row.ImageBytes is not null))
                await objects.DeleteAsync(GetImageKey(category, row.Key), CancellationToken.None);
        }
    }

    /// <summary>Gets the bytes of a category's kept images.</summary>
    public async Task<long> SumImagesAsync(string category, CancellationToken cancellationToken)
    {
        await using var db = engine.CreateLedger();
        return await db
                .Inspections.Where(row => row.Category == category && row.ImageBytes != null)
                .SumAsync(row => row.ImageBytes, cancellationToken)
            ?? 0;
    }

    /// <summary>Deletes the oldest images of a category, and keeps their rows. Returns how many bytes are free.</summary>
    public async Task<long> EvictImagesAsync(string category, long bytes, CancellationToken cancellationToken)
    {
        for (var freed = 0L; freed < bytes; )
        {
            await using var db = engine.CreateLedger();
            var oldest = await db
                .Inspections.AsNoTracking()
                .Of(category, AccessPaths.GetBest(db))
                .Where(row => row.ImageBytes != null)
                .OrderBy(row => row.Category)
                .ThenBy(row => row.Key)
                .Select(row => new { row.Key, row.ImageBytes })
                .Take(100)
                .ToListAsync(cancellationToken);
            if (oldest.Count == 0)
                return freed;
            var keys = new List<long>();
            foreach (var row in oldest.TakeWhile(_ => freed < bytes))
            {
                keys.Add(row.Key);
                freed += row.ImageBytes!.Value;
                await objects.DeleteAsync(GetImageKey(category, row.Key), cancellationToken);
            }
            await db
                .Inspections.Where(row => keys.Contains(row.Key))
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.ImageBytes, (long?)null), cancellationToken);
            if (keys.Count < oldest.Count)
                return freed;
        }
        return bytes;
    }

    /// <summary>Gets those keys of images that no row refers to.</summary>
    public async Task<List<string>> FindOrphansAsync(
        string category,
        IReadOnlyList<string> images,
        CancellationToken cancellationToken
    )
    {
        await using var db = engine.CreateLedger();
        var orphans = new List<string>();
        foreach (var chunk in images.Chunk(DeletedRows))
        {
            var keys = chunk
                .Select(image =>
                    long.TryParse(
                        image[(image.LastIndexOf('/') + 1)..],
                        NumberStyles.AllowHexSpecifier,
                        CultureInfo.InvariantCulture,
                        out var key
                    )
                        ? key
                        : 0
                )
                .ToList();
            var known = await db
                .Inspections.Where(row => keys.Contains(row.Key) && row.Category == category && row.ImageBytes != null)
                .Select(row => row.Key)
                .ToListAsync(cancellationToken);
            orphans.AddRange(chunk.Where((_, i) => !known.Contains(keys[i])));
        }
        return orphans;
    }

    /// <summary>What a category has in the ledger.</summary>
    /// <param name="Category">Its name.</param>
    /// <param name="FirstKey">The key of its oldest row.</param>
    /// <param name="ImageBytes">The bytes of its kept images.</param>
    internal sealed record Holding(string Category, long FirstKey, long ImageBytes);

    private static string GetImageKey(string category, long key) =>
        $"{InspectionKey.GetImagePrefix(category)}{key:x16}";
}
