using Microsoft.AspNetCore.Mvc;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Inspections;

/// <summary>The query of a request for inspections.</summary>
/// <param name="Category">The category.</param>
/// <param name="Part">The client's name for the part.</param>
/// <param name="Station">The client's name for the station.</param>
/// <param name="Lot">The client's name for the lot.</param>
/// <param name="Decision">The decision.</param>
/// <param name="Verdict">What a person said.</param>
/// <param name="From">The first moment.</param>
/// <param name="To">The moment behind the last.</param>
/// <param name="MinScore">The lowest score.</param>
/// <param name="MaxScore">The highest score.</param>
internal sealed record InspectionQuery(
    [property: FromQuery(Name = "category")] string? Category,
    [property: FromQuery(Name = "part")] string? Part,
    [property: FromQuery(Name = "station")] string? Station,
    [property: FromQuery(Name = "lot")] string? Lot,
    [property: FromQuery(Name = "decision")] Choice<Decision>? Decision,
    [property: FromQuery(Name = "verdict")] Choice<VerdictFilter>? Verdict,
    [property: FromQuery(Name = "from")] DateTimeOffset? From,
    [property: FromQuery(Name = "to")] DateTimeOffset? To,
    [property: FromQuery(Name = "minScore")] QueryNumber? MinScore,
    [property: FromQuery(Name = "maxScore")] QueryNumber? MaxScore
)
{
    /// <summary>Creates the query for all inspections of a category.</summary>
    public static InspectionQuery Of(string category) =>
        new(category, null, null, null, null, null, null, null, null, null);

    /// <summary>Gets the problem of a query that cannot be answered, or that no index serves; null if it can.</summary>
    public Problem? Validate()
    {
        if (Category is not null && !CategoryName.IsValid(Category))
            return Problems.InvalidName(Category);
        if (!double.IsFinite(MinScore?.Value ?? 0) || !double.IsFinite(MaxScore?.Value ?? 0))
            return Problems.InvalidRequest("minScore and maxScore must be numbers.");
        if (From >= To)
            return Problems.InvalidRequest("from must be before to.");
        return
            Category is null
                && (Part ?? Station ?? Lot) is null
                && Decision is null
                && Verdict is null
                && (MinScore ?? MaxScore) is null
            || Category is not null
            ? null
            : Problems.InvalidRequest("Name the category: without it, inspections are filtered by time only.");
    }

    /// <summary>Gets whether only what is not normal is asked for.</summary>
    public bool IsNotNormal => Decision is { Value: not Data.Decision.Normal } || Verdict?.Value == VerdictFilter.Open;

    /// <summary>Gets the rows, in no order.</summary>
    /// <param name="rows">The rows of the ledger.</param>
    /// <param name="category">The category; null for all.</param>
    /// <param name="path">The index to use.</param>
    public IQueryable<StoredInspection> Filter(
        IQueryable<StoredInspection> rows,
        string? category,
        AccessPath path = AccessPath.Any
    )
    {
        if (category is not null)
            rows = rows.Of(category, path);
        if (From is { } from)
        {
            var first = InspectionKey.FromTime(from.UtcDateTime);
            rows = path is AccessPath.Scores or AccessPath.Few
                ? rows.Where(row => row.Key + 0 >= first)
                : rows.Where(row => row.Key >= first);
        }
        if (To is { } to)
        {
            var end = InspectionKey.FromTime(to.UtcDateTime);
            rows = path is AccessPath.Scores or AccessPath.Few
                ? rows.Where(row => row.Key + 0 < end)
                : rows.Where(row => row.Key < end);
        }
        if (Part is not null)
            rows = rows.Where(row => row.Part == Part);
        if (Station is not null)
            rows = rows.Where(row => row.Station == Station);
        if (Lot is not null)
            rows = rows.Where(row => row.Lot == Lot);
        if (Decision is { Value: var decision })
            rows = rows.Where(row => row.Decision == decision);
        // Text of an index. PostgreSQL needs no help, and would take it for a second condition that leaves out most rows.
        if (path == AccessPath.Scores && IsNotNormal)
            rows = rows.Where(row => row.Decision != Data.Decision.Normal);
        if (MinScore is { Value: var min })
            rows = path is AccessPath.Others or AccessPath.Few
                ? rows.Where(row => row.Score + 0 >= min)
                : rows.Where(row => row.Score >= min);
        if (MaxScore is { Value: var max })
            rows = path is AccessPath.Others or AccessPath.Few
                ? rows.Where(row => row.Score + 0 <= max)
                : rows.Where(row => row.Score <= max);
        return Verdict?.Value switch
        {
            VerdictFilter.Good => rows.Where(row => row.Verdict == Data.Verdict.Good),
            VerdictFilter.Defective => rows.Where(row => row.Verdict == Data.Verdict.Defective),
            VerdictFilter.Unsure => rows.Where(row => row.Verdict == Data.Verdict.Unsure),
            VerdictFilter.None => rows.Where(row => row.Verdict == null),
            VerdictFilter.Open => rows.Where(row => row.Verdict == null && row.Decision != Data.Decision.Normal),
            _ => rows,
        };
    }
}
