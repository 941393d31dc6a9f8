using System.Globalization;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Inspections;

namespace PaDiM.Service.Learning;

/// <summary>What candidates made of the photographs of the line, beside the inspections.</summary>
internal sealed class ShadowLedger(IDatabaseEngine engine)
{
    /// <summary>Rows that are deleted at once: writers wait for a few milliseconds.</summary>
    private const int DeletedRows = 500;

    /// <summary>Stands for the name of a table, which on PostgreSQL has a schema before it.</summary>
    private const string Table = "TABLE_NAME";

    private const string InsertScore = """
        INSERT INTO TABLE_NAME ("Key", "Category", "Version", "ActiveVersion", "InspectionCategory", "InspectionId", "Score",
            "Decision", "ShadowScore", "ShadowDecision", "Differs")
        VALUES ({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}, {9}, {10}) ON CONFLICT DO NOTHING
        """;

    private const string AddMiss = """
        INSERT INTO TABLE_NAME AS known ("Category", "Version", "Replica", "Missed") VALUES ({0}, {1}, {2}, {3})
        ON CONFLICT ("Category", "Version", "Replica") DO UPDATE SET "Missed" = known."Missed" + excluded."Missed"
        """;

    /// <summary>Adds scores, once for each inspection, and counts what was missed.</summary>
    public async Task WriteAsync(
        IReadOnlyList<StoredShadowScore> scores,
        IReadOnlyList<StoredShadowMiss> misses,
        CancellationToken cancellationToken
    )
    {
        await using var db = engine.CreateLedger();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var insertScore = InsertScore.Replace(Table, db.GetTableName<StoredShadowScore>(), StringComparison.Ordinal);
        foreach (var row in scores)
        {
            var key = row.Key;
            // Candidates may have drawn the same key for a photograph that they share.
            while (!await TryInsertAsync(row, key) && !await IsKnownAsync(row))
                key++;
        }
        var addMiss = AddMiss.Replace(Table, db.GetTableName<StoredShadowMiss>(), StringComparison.Ordinal);
        foreach (var miss in misses)
            await db.Database.ExecuteSqlRawAsync(
                addMiss,
                [miss.Category, miss.Version, miss.Replica, miss.Missed],
                cancellationToken
            );
        await transaction.CommitAsync(CancellationToken.None);

        async Task<bool> TryInsertAsync(StoredShadowScore row, long key) =>
            await db.Database.ExecuteSqlRawAsync(
                insertScore,
                [
                    key,
                    row.Category,
                    row.Version,
                    row.ActiveVersion,
                    row.InspectionCategory,
                    row.InspectionId,
                    row.Score,
                    row.Decision.ToString(),
                    row.ShadowScore,
                    row.ShadowDecision.ToString(),
                    row.Differs,
                ],
                cancellationToken
            ) > 0;

        Task<bool> IsKnownAsync(StoredShadowScore row) =>
            db.ShadowScores.AnyAsync(
                known =>
                    known.InspectionCategory == row.InspectionCategory
                    && known.InspectionId == row.InspectionId
                    && known.Category == row.Category
                    && known.Version == row.Version,
                cancellationToken
            );
    }

    /// <summary>Compares a candidate with the active version.</summary>
    public async Task<ShadowFigures> CountAsync(Shadow shadow, CancellationToken cancellationToken)
    {
        await using var db = engine.CreateLedger();
        var rows = Filter(db, shadow);
        var groups = await rows.GroupBy(row => new { row.Decision, row.ShadowDecision })
            .Select(group => new
            {
                group.Key.Decision,
                group.Key.ShadowDecision,
                Count = group.LongCount(),
                Score = group.Sum(row => row.Score),
                ShadowScore = group.Sum(row => row.ShadowScore),
            })
            .ToListAsync(cancellationToken);
        var count = groups.Sum(group => group.Count);
        double? correlation = null;
        if (count > 1)
        {
            // Around the means: sums of squares alone lose the digits in which scores differ.
            var mean = groups.Sum(group => group.Score) / count;
            var shadowMean = groups.Sum(group => group.ShadowScore) / count;
            var sums = await rows.GroupBy(row => row.Category)
                .Select(group => new
                {
                    Both = group.Sum(row => (row.Score - mean) * (row.ShadowScore - shadowMean)),
                    One = group.Sum(row => (row.Score - mean) * (row.Score - mean)),
                    Other = group.Sum(row => (row.ShadowScore - shadowMean) * (row.ShadowScore - shadowMean)),
                })
                .SingleOrDefaultAsync(cancellationToken);
            if (sums is { One: > 0, Other: > 0 })
                correlation = Math.Clamp(sums.Both / Math.Sqrt(sums.One * sums.Other), -1, 1);
        }
        var missed = await db
            .ShadowMisses.Where(miss => miss.Category == shadow.Category && miss.Version == shadow.Version)
            .SumAsync(miss => miss.Missed, cancellationToken);
        return new ShadowFigures(
            count,
            missed,
            groups.Where(group => group.Decision != group.ShadowDecision).Sum(group => group.Count),
            [
                .. groups
                    .Select(group => new ShadowDecisions(group.Decision, group.ShadowDecision, group.Count))
                    .OrderBy(group => (group.Decision, group.ShadowDecision)),
            ],
            correlation
        );
    }

    /// <summary>Gets a page of the inspections about which both decide differently, latest first.</summary>
    public async Task<Outcome<Page<ShadowDifference>>> ListAsync(
        Shadow shadow,
        PageRequest page,
        CancellationToken cancellationToken
    )
    {
        if (!page.GetNumberBefore().Succeeded(out var before, out var problem))
            return problem;
        await using var db = engine.CreateLedger();
        var rows = await Filter(db, shadow)
            .Where(row => row.Differs && row.Key < before)
            .OrderByDescending(row => row.Key)
            .Take(page.Limit + 1)
            .ToListAsync(cancellationToken);
        var ids = rows.Select(row => row.InspectionId).ToList();
        var inspections = (
            await db.Inspections.AsNoTracking().Where(row => ids.Contains(row.Id)).ToListAsync(cancellationToken)
        ).ToDictionary(row => (row.Category, row.Id));
        return page.Cut(
            rows,
            row => row.Key.ToString(CultureInfo.InvariantCulture),
            row => new ShadowDifference(
                row.InspectionId,
                InspectionKey.GetTime(row.Key),
                row.Decision,
                row.Score,
                row.ShadowDecision,
                row.ShadowScore,
                inspections.GetValueOrDefault((row.InspectionCategory, row.InspectionId)) is { } inspection
                    ? InspectionResponse.Create(inspection)
                    : null
            )
        );
    }

    /// <summary>Forgets what was missed, when a version becomes the shadow.</summary>
    public async Task ForgetMissesAsync(string category, int version, CancellationToken cancellationToken)
    {
        await using var db = engine.CreateLedger();
        await db
            .ShadowMisses.Where(miss => miss.Category == category && miss.Version == version)
            .ExecuteDeleteAsync(cancellationToken);
    }

    /// <summary>Deletes all about a category that is deleted.</summary>
    public async Task DeleteAsync(string category, CancellationToken cancellationToken)
    {
        await DeleteAsync(rows => rows.Where(row => row.Category == category), cancellationToken);
        await DeleteAsync(rows => rows.Where(row => row.InspectionCategory == category), cancellationToken);
        await using var db = engine.CreateLedger();
        await db.ShadowMisses.Where(miss => miss.Category == category).ExecuteDeleteAsync(cancellationToken);
    }

    /// <summary>Gets the categories whose photographs candidates have scored: one look into the index for each.</summary>
    public async Task<List<string>> ListCategoriesAsync(CancellationToken cancellationToken)
    {
        await using var db = engine.CreateLedger();
        var names = new List<string>();
        for (string? name = ""; ; names.Add(name))
        {
            var last = name;
            name = await db
                .ShadowScores.Where(row => string.Compare(row.InspectionCategory, last) > 0)
                .OrderBy(row => row.InspectionCategory)
                .Select(row => row.InspectionCategory)
                .FirstOrDefaultAsync(cancellationToken);
            if (name is null)
                return names;
        }
    }

    /// <summary>Deletes what is older than a category keeps inspections. Their own deletion takes the rest along.</summary>
    public Task TrimAsync(string category, DateTime before, CancellationToken cancellationToken)
    {
        var end = InspectionKey.FromTime(before);
        return DeleteAsync(
            rows => rows.Where(row => row.InspectionCategory == category && row.Key < end),
            cancellationToken
        );
    }

    /// <summary>Deletes rows in small pieces.</summary>
    private async Task DeleteAsync(
        Func<IQueryable<StoredShadowScore>, IQueryable<StoredShadowScore>> filter,
        CancellationToken cancellationToken
    )
    {
        for (; ; )
        {
            await using var db = engine.CreateLedger();
            var keys = await filter(db.ShadowScores)
                .OrderBy(row => row.Key)
                .Select(row => row.Key)
                .Take(DeletedRows)
                .ToListAsync(cancellationToken);
            if (keys.Count == 0)
                return;
            await db.ShadowScores.Where(row => keys.Contains(row.Key)).ExecuteDeleteAsync(cancellationToken);
        }
    }

    /// <summary>Gets the scores of a candidate beside the version that is active now.</summary>
    private static IQueryable<StoredShadowScore> Filter(LedgerDbContext db, Shadow shadow)
    {
        var first = InspectionKey.FromTime(shadow.Since);
        return db
            .ShadowScores.AsNoTracking()
            .Where(row =>
                row.Category == shadow.Category
                && row.Version == shadow.Version
                && row.ActiveVersion == shadow.ActiveVersion
                && row.Key >= first
            );
    }
}
