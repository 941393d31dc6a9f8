using System.Globalization;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;

namespace PaDiM.Service.Inspections;

/// <summary>
/// The inspections of a span of time, by decision and p-value. Whole quarters of an hour are added up from their counts,
/// and what is left at both ends from the rows.
/// </summary>
internal sealed class InspectionTally
{
    /// <summary>P-values are counted in tenths.</summary>
    public const int Bins = 10;

    private readonly int[] _decisions = new int[3];

    /// <summary>Gets the inspections by p-value.</summary>
    public int[] PValues { get; } = new int[Bins];

    /// <summary>Gets the number of inspections with a decision.</summary>
    public int this[Decision decision] => _decisions[(int)decision];

    /// <summary>
    /// Counts the inspections of a category within each span. However many spans there are, it is one statement for their
    /// quarters and one for what is left.
    /// </summary>
    /// <param name="db">The ledger.</param>
    /// <param name="category">The category.</param>
    /// <param name="bounds">The starts of the spans, and the end of the last one.</param>
    /// <param name="cancellationToken">Cancels the queries.</param>
    public static async Task<InspectionTally[]> CountAsync(
        LedgerDbContext db,
        string category,
        IReadOnlyList<DateTime> bounds,
        CancellationToken cancellationToken
    )
    {
        var quarters = new List<Piece>();
        var rows = new List<Piece>();
        for (var span = 0; span + 1 < bounds.Count; span++)
        {
            var (from, to) = (bounds[span], bounds[span + 1]);
            var first = GetQuarter(from.AddTicks(InspectionCount.Length.Ticks - TimeSpan.TicksPerMicrosecond));
            var end = GetQuarter(to);
            if (first < end)
            {
                quarters.Add(new Piece(span, first, end));
                rows.Add(Piece.OfTime(span, from, GetStart(first)));
                rows.Add(Piece.OfTime(span, GetStart(end), to));
            }
            else
                rows.Add(Piece.OfTime(span, from, to));
        }
        var tallies = new InspectionTally[bounds.Count - 1];
        for (var span = 0; span < tallies.Length; span++)
            tallies[span] = new InspectionTally();
        foreach (var sum in await AddUpAsync(db, category, quarters, cancellationToken))
        foreach (var (bin, count) in sum.PValues.Index())
            tallies[sum.Span].Add(sum.Decision, bin, count);
        foreach (var count in await CountRowsAsync(db, category, rows, cancellationToken))
            tallies[count.Span].Add(count.Decision, count.Bin, count.Count);
        return tallies;
    }

    private static long GetQuarter(DateTime time) =>
        (time.Ticks - DateTime.UnixEpoch.Ticks) / InspectionCount.Length.Ticks;

    private static DateTime GetStart(long quarter) =>
        DateTime.UnixEpoch.AddTicks(quarter * InspectionCount.Length.Ticks);

    private void Add(string decision, int bin, int count)
    {
        _decisions[(int)Enum.Parse<Decision>(decision)] += count;
        PValues[bin] += count;
    }

    private static Task<List<Sum>> AddUpAsync(
        LedgerDbContext db,
        string category,
        List<Piece> pieces,
        CancellationToken cancellationToken
    ) =>
        AskAsync<Sum>(
            db,
            $"""
            SELECT pieces.span AS "{nameof(Sum.Span)}", "Decision",
                {string.Join(
                ", ",
                Enumerable.Range(0, Bins).Select(bin => $"CAST(SUM(\"P{bin}\") AS INTEGER) AS \"P{bin}\"")
            )}
            FROM {Join<InspectionCount>(db, nameof(InspectionCount.Quarter))}
            GROUP BY pieces.span, "Decision"
            """,
            category,
            pieces,
            cancellationToken
        );

    /// <summary>PostgreSQL rounds where a number becomes an integer, so that it is cut off before.</summary>
    private static Task<List<RowCount>> CountRowsAsync(
        LedgerDbContext db,
        string category,
        List<Piece> pieces,
        CancellationToken cancellationToken
    ) =>
        AskAsync<RowCount>(
            db,
            $"""
            SELECT span AS "{nameof(RowCount.Span)}", "Decision", bin AS "{nameof(RowCount.Bin)}",
                CAST(COUNT(*) AS INTEGER) AS "{nameof(RowCount.Count)}"
            FROM (
                SELECT pieces.span, "Decision",
                    CASE WHEN "PValue" >= 1 THEN {Bins - 1} ELSE CAST(FLOOR("PValue" * {Bins}) AS INTEGER) END AS bin
                FROM {Join<StoredInspection>(db, nameof(StoredInspection.Key))}
            ) AS binned
            GROUP BY span, "Decision", bin
            """,
            category,
            pieces,
            cancellationToken
        );

    /// <summary>
    /// Joins pieces with a table, so that each piece is one look into an index: SQLite does not change the order of a join
    /// that says CROSS, and PostgreSQL, which would rather read the whole table, none of a part that says OFFSET.
    /// </summary>
    private static string Join<T>(LedgerDbContext db, string column)
    {
        var table = db.GetTableName<T>();
        var filter = $"""
            WHERE "Category" = {"{0}"} AND "{column}" >= pieces.first AND "{column}" < pieces.last
            """;
        return db is PostgresLedgerContext
            ? $"pieces CROSS JOIN LATERAL (SELECT * FROM {table} {filter} OFFSET 0) AS found"
            : $"pieces CROSS JOIN {table} {filter}";
    }

    /// <summary>Asks about pieces of time.</summary>
    private static async Task<List<T>> AskAsync<T>(
        LedgerDbContext db,
        string sql,
        string category,
        List<Piece> pieces,
        CancellationToken cancellationToken
    )
    {
        var values = pieces
            .Where(piece => piece.First < piece.End)
            .Select(piece => string.Create(CultureInfo.InvariantCulture, $"({piece.Span}, {piece.First}, {piece.End})"))
            .ToArray();
        if (values.Length == 0)
            return [];
        // Numbers only; what a client sends is a parameter.
        var whole = $"WITH pieces(span, first, last) AS (VALUES {string.Join(", ", values)})\n{sql}";
        return await db.Database.SqlQueryRaw<T>(whole, category).ToListAsync(cancellationToken);
    }

    /// <summary>A part of a span.</summary>
    /// <param name="Span">The number of the span.</param>
    /// <param name="First">The first quarter or key.</param>
    /// <param name="End">The one behind the last.</param>
    private readonly record struct Piece(int Span, long First, long End)
    {
        public static Piece OfTime(int span, DateTime from, DateTime to) =>
            new(span, InspectionKey.FromTime(from), InspectionKey.FromTime(to));
    }

    /// <summary>Counts of quarters, added up.</summary>
    private sealed record Sum(
        int Span,
        string Decision,
        int P0,
        int P1,
        int P2,
        int P3,
        int P4,
        int P5,
        int P6,
        int P7,
        int P8,
        int P9
    )
    {
        public int[] PValues => [P0, P1, P2, P3, P4, P5, P6, P7, P8, P9];
    }

    /// <summary>Rows that are counted one by one.</summary>
    private sealed record RowCount(int Span, string Decision, int Bin, int Count);
}
