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

    /// <summary>Counts the inspections of a category within a span.</summary>
    public static async Task<InspectionTally> CountAsync(
        LedgerDbContext db,
        string category,
        DateTime from,
        DateTime to,
        CancellationToken cancellationToken
    )
    {
        var tally = new InspectionTally();
        var first = GetQuarter(from.AddTicks(InspectionCount.Length.Ticks - TimeSpan.TicksPerMicrosecond));
        var end = GetQuarter(to);
        if (first >= end)
        {
            await tally.AddRowsAsync(db, category, from, to, cancellationToken);
            return tally;
        }
        await tally.AddRowsAsync(db, category, from, GetStart(first), cancellationToken);
        await tally.AddQuartersAsync(db, category, first, end, cancellationToken);
        await tally.AddRowsAsync(db, category, GetStart(end), to, cancellationToken);
        return tally;
    }

    private static long GetQuarter(DateTime time) =>
        (time.Ticks - DateTime.UnixEpoch.Ticks) / InspectionCount.Length.Ticks;

    private static DateTime GetStart(long quarter) =>
        DateTime.UnixEpoch.AddTicks(quarter * InspectionCount.Length.Ticks);

    private void Add(Decision decision, int bin, int count)
    {
        _decisions[(int)decision] += count;
        PValues[bin] += count;
    }

    private async Task AddQuartersAsync(
        LedgerDbContext db,
        string category,
        long first,
        long end,
        CancellationToken cancellationToken
    )
    {
        var counts = await db
            .InspectionCounts.Where(count =>
                count.Category == category && count.Quarter >= first && count.Quarter < end
            )
            .GroupBy(count => count.Decision)
            .Select(group => new
            {
                group.Key,
                P0 = group.Sum(count => count.P0),
                P1 = group.Sum(count => count.P1),
                P2 = group.Sum(count => count.P2),
                P3 = group.Sum(count => count.P3),
                P4 = group.Sum(count => count.P4),
                P5 = group.Sum(count => count.P5),
                P6 = group.Sum(count => count.P6),
                P7 = group.Sum(count => count.P7),
                P8 = group.Sum(count => count.P8),
                P9 = group.Sum(count => count.P9),
            })
            .ToListAsync(cancellationToken);
        foreach (var c in counts)
        foreach (var (bin, count) in new[] { c.P0, c.P1, c.P2, c.P3, c.P4, c.P5, c.P6, c.P7, c.P8, c.P9 }.Index())
            Add(c.Key, bin, count);
    }

    private async Task AddRowsAsync(
        LedgerDbContext db,
        string category,
        DateTime from,
        DateTime to,
        CancellationToken cancellationToken
    )
    {
        var (first, end) = (InspectionKey.FromTime(from), InspectionKey.FromTime(to));
        if (first >= end)
            return;
        // PostgreSQL rounds where a number becomes an integer.
        var counts = await db
            .Inspections.Where(row => row.Category == category && row.Key >= first && row.Key < end)
            .GroupBy(row => new { row.Decision, Bin = row.PValue >= 1 ? Bins - 1 : (int)Math.Floor(row.PValue * Bins) })
            .Select(group => new
            {
                group.Key.Decision,
                group.Key.Bin,
                Count = group.Count(),
            })
            .ToListAsync(cancellationToken);
        foreach (var count in counts)
            Add(count.Decision, count.Bin, count.Count);
    }
}
