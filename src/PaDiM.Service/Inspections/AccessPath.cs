using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;

namespace PaDiM.Service.Inspections;

/// <summary>
/// Which index finds the rows of a page. Neither engine knows enough to choose. SQLite does not know how rows are distributed:
/// it sorted a month of rows for their highest scores, and looked through all rows of a category for those of a part.
/// PostgreSQL takes the rows of a category for evenly spread over time, and passed over millions of others to find those of
/// one that has stopped.
/// </summary>
internal enum AccessPath
{
    /// <summary>As the database chooses.</summary>
    Any,

    /// <summary>One that begins with the category: on PostgreSQL, whose order then begins with it too.</summary>
    Category,

    /// <summary>
    /// The index of scores, whose rows come in order: for a range of time that most rows are in. The others are ruled out by
    /// adding 0 to their columns.
    /// </summary>
    Scores,

    /// <summary>Any index but that of scores: few rows are found, which are then sorted.</summary>
    Others,

    /// <summary>
    /// The index of parts or that of verdicts, which have few rows. What else is asked leaves some of them out, without a
    /// say in the choice.
    /// </summary>
    Few,
}

/// <summary>Chooses access paths.</summary>
internal static class AccessPaths
{
    /// <summary>Rows that are found and sorted in a few ten milliseconds.</summary>
    private const int MaxSorted = 20_000;

    /// <summary>Chooses the path of a page, after a look at how many rows a filter leaves.</summary>
    public static async Task<AccessPath> ChooseAsync(
        LedgerDbContext db,
        InspectionQuery query,
        string? category,
        InspectionOrder order,
        CancellationToken cancellationToken
    )
    {
        if (category is null)
            return AccessPath.Any;
        if (GetBest(db) is var best and not AccessPath.Any)
            return best;
        if (HasFew(query))
            return AccessPath.Few;
        var isByScore = order is InspectionOrder.Highest or InspectionOrder.Lowest;
        var hasScores = (query.MinScore ?? query.MaxScore) is not null;
        if (!isByScore && !hasScores)
            return AccessPath.Any;
        // The scores of what is not normal have a small index of their own.
        if (query.IsNotNormal)
            return isByScore ? AccessPath.Scores : AccessPath.Others;
        var hasTime = (query.From ?? query.To) is not null;
        if (isByScore)
        {
            if (!hasTime)
                return AccessPath.Any;
            var span = InspectionQuery.Of(category) with { From = query.From, To = query.To };
            return await IsFewAsync(span.Filter(db.Inspections, category).OrderBy(row => row.Key), cancellationToken)
                ? AccessPath.Others
                : AccessPath.Scores;
        }
        if (hasTime)
            return AccessPath.Others;
        var scores = InspectionQuery.Of(category) with { MinScore = query.MinScore, MaxScore = query.MaxScore };
        return await IsFewAsync(scores.Filter(db.Inspections, category).OrderBy(row => row.Score), cancellationToken)
            ? AccessPath.Any
            : AccessPath.Others;
    }

    /// <summary>Chooses the path to all rows that a filter leaves in a category, in the order of their keys.</summary>
    public static AccessPath ChooseByTime(LedgerDbContext db, InspectionQuery query) =>
        GetBest(db) is var best and not AccessPath.Any ? best
        : HasFew(query) ? AccessPath.Few
        : (query.MinScore ?? query.MaxScore) is null ? AccessPath.Any
        : AccessPath.Others;

    /// <summary>Gets the path to rows of a category in the order of their keys.</summary>
    public static AccessPath GetBest(LedgerDbContext db) =>
        db is PostgresLedgerContext ? AccessPath.Category : AccessPath.Any;

    /// <summary>Gets the rows of a category.</summary>
    public static IQueryable<StoredInspection> Of(
        this IQueryable<StoredInspection> rows,
        string category,
        AccessPath path
    )
    {
        if (path != AccessPath.Category)
            return rows.Where(row => row.Category == category);
        // One of a list is no constant to the planner, so that the order has to begin with it.
        string[] categories = [category];
        return rows.Where(row => categories.Contains(row.Category));
    }

    private static bool HasFew(InspectionQuery query) =>
        query.Part is not null
        || query.Verdict?.Value is VerdictFilter.Good or VerdictFilter.Defective or VerdictFilter.Unsure;

    /// <param name="rows">In the order of the index that has them.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    private static async Task<bool> IsFewAsync(
        IQueryable<StoredInspection> rows,
        CancellationToken cancellationToken
    ) => await rows.Select(row => row.Key).Take(MaxSorted + 1).CountAsync(cancellationToken) <= MaxSorted;
}
