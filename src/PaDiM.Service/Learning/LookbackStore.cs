using System.Globalization;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Inspections;
using PaDiM.Service.Jobs;

namespace PaDiM.Service.Learning;

/// <summary>Stores lookbacks in the database. Their inspections stay in the ledger.</summary>
internal sealed class LookbackStore(
    IDbContextFactory<PadimDbContext> contexts,
    IDatabaseEngine engine,
    TimeProvider time
)
{
    /// <summary>Gets the category to which the photographs of a category are sent.</summary>
    public async Task<string> GetSourceAsync(string category, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.GetImageSourceAsync(category, cancellationToken);
    }

    /// <summary>Counts the inspections of a time.</summary>
    public async Task<long> CountAsync(string category, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        var first = InspectionKey.FromTime(from);
        var end = InspectionKey.FromTime(to);
        await using var db = engine.CreateLedger();
        return await db
            .Inspections.Where(row => row.Category == category && row.Key >= first && row.Key < end)
            .LongCountAsync(cancellationToken);
    }

    /// <summary>Stores a lookback and ends its job, in one transaction.</summary>
    /// <returns>False when the job changed hands or was cancelled; nothing is stored then.</returns>
    public async Task<bool> PublishAsync(
        JobLease lease,
        string category,
        int version,
        LookbackFigures figures,
        IReadOnlyCollection<StoredFlip> flips,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var hasCategory = await db.LockCategoryAsync(category, cancellationToken);
        var job = await lease.LockAsync(db, cancellationToken);
        if (!hasCategory || job is null)
            return false;
        var now = time.GetUtcNow().UtcDateTime;
        db.Add(
            new StoredLookback
            {
                Id = job.Id,
                Category = category,
                ModelVersion = version,
                CreatedAt = now,
                Figures = JsonSerializer.Serialize(figures),
                Flips = JsonSerializer.Serialize(flips),
            }
        );
        job.Succeed(now, version);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
        return true;
    }

    /// <summary>Finds a lookback.</summary>
    public async Task<Outcome<LookbackResponse>> GetAsync(string id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await Rows(db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is { } row
            ? row.ToResponse()
            : Problems.LookbackNotFound(id);
    }

    /// <summary>Lists the lookbacks of a category, newest first.</summary>
    public async Task<Outcome<Page<LookbackResponse>>> ListAsync(
        string category,
        PageRequest page,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (!await db.Categories.AnyAsync(c => c.Name == category, cancellationToken))
            return Problems.CategoryNotFound(category);
        var rows = await Rows(db)
            .Where(row => row.Category == category && (page.After == "" || string.Compare(row.Id, page.After) < 0))
            .OrderByDescending(row => row.Id)
            .Take(page.Limit + 1)
            .ToListAsync(cancellationToken);
        return page.Cut(rows, row => row.Id, row => row.ToResponse());
    }

    /// <summary>Lists the inspections that would be decided differently, latest first; those that are still kept.</summary>
    public async Task<Outcome<Page<LookbackFlip>>> ListFlipsAsync(
        string id,
        PageRequest page,
        CancellationToken cancellationToken
    )
    {
        if (!page.GetNumberBefore().Succeeded(out var before, out var problem))
            return problem;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var stored = await db
            .Lookbacks.Where(row => row.Id == id)
            .Select(row => row.Flips)
            .SingleOrDefaultAsync(cancellationToken);
        if (stored is null)
            return Problems.LookbackNotFound(id);
        var flips = JsonSerializer
            .Deserialize<StoredFlip[]>(stored)!
            .Where(flip => flip.Key < before)
            .OrderByDescending(flip => flip.Key)
            .ToArray();
        var rows = new List<(StoredFlip Flip, StoredInspection Row)>();
        await using var ledger = engine.CreateLedger();
        // What was deleted since is passed over, so that pages are full.
        foreach (var chunk in flips.Chunk(page.Limit + 1))
        {
            var keys = chunk.Select(flip => flip.Key).ToList();
            var found = await ledger
                .Inspections.AsNoTracking()
                .Where(row => keys.Contains(row.Key))
                .ToDictionaryAsync(row => row.Key, cancellationToken);
            rows.AddRange(chunk.Where(flip => found.ContainsKey(flip.Key)).Select(flip => (flip, found[flip.Key])));
            if (rows.Count > page.Limit)
                break;
        }
        return page.Cut(
            rows,
            pair => pair.Flip.Key.ToString(CultureInfo.InvariantCulture),
            pair => new LookbackFlip(pair.Flip.Decision, pair.Flip.Score, InspectionResponse.Create(pair.Row))
        );
    }

    /// <summary>Selects lookbacks without their flips, of which each may have thousands.</summary>
    private static IQueryable<Row> Rows(PadimDbContext db) =>
        db
            .Lookbacks.AsNoTracking()
            .Select(row => new Row
            {
                Id = row.Id,
                Category = row.Category,
                ModelVersion = row.ModelVersion,
                CreatedAt = row.CreatedAt,
                Figures = row.Figures,
            });

    private sealed record Row
    {
        public required string Id { get; init; }

        public required string Category { get; init; }

        public int ModelVersion { get; init; }

        public DateTime CreatedAt { get; init; }

        public required string Figures { get; init; }

        public LookbackResponse ToResponse() =>
            new(Id, Category, ModelVersion, CreatedAt, JsonSerializer.Deserialize<LookbackFigures>(Figures)!);
    }
}
