using System.Globalization;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Inspections;

/// <summary>The spans that figures are given for.</summary>
internal enum FigureSpan
{
    Hour,
    Shift,
    Day,
}

/// <summary>Counts inspections per span of time, and where defects fall.</summary>
internal sealed class InspectionFigures(IDatabaseEngine engine)
{
    public const int MaxSpans = 400,
        MaxShifts = 12,
        MinGrid = 4,
        MaxGrid = 64,
        DefaultGrid = 16;

    /// <summary>The latest defects that a map counts.</summary>
    private const int MaxDefects = 100_000;

    /// <summary>Fewer parts say nothing about drift.</summary>
    private const int MinDriftParts = 30;

    private const int Hotspots = 20;

    /// <summary>Gets the starts of spans, and the end of the last one.</summary>
    /// <param name="span">What is counted together.</param>
    /// <param name="shifts">When shifts start, local times in order.</param>
    /// <param name="zone">The time zone of the line.</param>
    /// <param name="from">The first moment.</param>
    /// <param name="to">The moment behind the last.</param>
    public static Outcome<DateTime[]> Split(
        FigureSpan span,
        IReadOnlyList<TimeOnly> shifts,
        TimeZoneInfo zone,
        DateTime from,
        DateTime to
    )
    {
        var starts = new List<DateTime> { from };
        if (span == FigureSpan.Hour)
        {
            // Zones may be half an hour apart.
            var offset = zone.GetUtcOffset(from);
            var local = from + offset;
            for (
                var next = local.AddTicks(-(local.Ticks % TimeSpan.TicksPerHour)).AddHours(1) - offset;
                next < to && starts.Count <= MaxSpans;
                next = next.AddHours(1)
            )
                starts.Add(next);
        }
        else
            for (
                var day = DateOnly.FromDateTime(TimeZoneInfo.ConvertTimeFromUtc(from, zone)).AddDays(-1);
                starts.Count <= MaxSpans && day.ToDateTime(TimeOnly.MinValue) < to.AddDays(2);
                day = day.AddDays(1)
            )
                foreach (var shift in span == FigureSpan.Day ? [TimeOnly.MinValue] : shifts)
                    if (ToUtc(day.ToDateTime(shift), zone) is var start && start > starts[^1] && start < to)
                        starts.Add(start);
        return starts.Count > MaxSpans
            ? Problems.InvalidRequest($"from and to are more than {MaxSpans} spans apart; choose fewer or longer ones.")
            : starts.Append(to).ToArray();
    }

    /// <summary>Counts the inspections of each span.</summary>
    public async Task<IReadOnlyList<FigureResponse>> CountAsync(
        string category,
        IReadOnlyList<DateTime> bounds,
        CancellationToken cancellationToken
    )
    {
        await using var db = engine.CreateLedger();
        var tallies = await InspectionTally.CountAsync(db, category, bounds, cancellationToken);
        return
        [
            .. tallies.Select(
                (tally, span) =>
                {
                    var parts = tally.PValues.Sum();
                    return new FigureResponse(
                        bounds[span],
                        bounds[span + 1],
                        parts,
                        tally[Decision.Normal],
                        tally[Decision.Review],
                        tally[Decision.Anomalous],
                        parts == 0 ? null : (double)tally[Decision.Anomalous] / parts,
                        tally.PValues,
                        GetDrift(tally.PValues)
                    );
                }
            ),
        ];
    }

    /// <summary>Counts where the defects of a category's rejects are.</summary>
    public async Task<ParetoResponse> MapAsync(InspectionQuery query, int grid, CancellationToken cancellationToken)
    {
        await using var db = engine.CreateLedger();
        var path = AccessPaths.ChooseByTime(db, query);
        var rejects = query
            .Filter(db.Inspections.AsNoTracking(), query.Category, path)
            .Where(row => row.Decision == Decision.Anomalous)
            .InOrder(InspectionOrder.Newest, null, path)
            .Take(MaxDefects)
            .Select(row => new
            {
                row.Regions,
                row.Width,
                row.Height,
            });
        var counts = new int[grid * grid];
        var touched = new HashSet<int>();
        var inspections = 0;
        await foreach (var row in rejects.AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            inspections++;
            touched.Clear();
            foreach (var region in LedgerRows.ReadRegions(row.Regions))
            {
                int Cell(double at, int size) => Math.Clamp((int)(at * grid / size), 0, grid - 1);
                for (var y = Cell(region.Y, row.Height); y <= Cell(region.Y + region.Height - 1, row.Height); y++)
                for (var x = Cell(region.X, row.Width); x <= Cell(region.X + region.Width - 1, row.Width); x++)
                    touched.Add(y * grid + x);
            }
            foreach (var cell in touched)
                counts[cell]++;
        }
        var total = counts.Sum();
        var running = 0;
        return new ParetoResponse(
            inspections,
            grid,
            [.. Enumerable.Range(0, grid).Select(y => counts[(y * grid)..((y + 1) * grid)])],
            [
                .. counts
                    .Index()
                    .Where(cell => cell.Item > 0)
                    .OrderByDescending(cell => cell.Item)
                    .ThenBy(cell => cell.Index)
                    .Take(Hotspots)
                    .Select(cell =>
                    {
                        running += cell.Item;
                        return new Hotspot(
                            (double)(cell.Index % grid) / grid,
                            (double)(cell.Index / grid) / grid,
                            1.0 / grid,
                            cell.Item,
                            (double)cell.Item / inspections,
                            (double)running / total
                        );
                    }),
            ]
        );
    }

    /// <summary>
    /// The largest distance between the shares of p-values up to each tenth and those of good parts, which are equally
    /// many in each.
    /// </summary>
    private static double? GetDrift(int[] bins)
    {
        var parts = bins.Sum();
        if (parts < MinDriftParts)
            return null;
        var largest = 0.0;
        var below = 0;
        for (var i = 0; i < bins.Length - 1; i++)
        {
            below += bins[i];
            largest = Math.Max(largest, Math.Abs((double)below / parts - (i + 1) / 10.0));
        }
        return largest;
    }

    /// <summary>Converts a local time; one that the clocks skip is an hour later.</summary>
    private static DateTime ToUtc(DateTime local, TimeZoneInfo zone) =>
        TimeZoneInfo.ConvertTimeToUtc(zone.IsInvalidTime(local) ? local.AddHours(1) : local, zone);

    /// <summary>Parses starts of shifts, such as <c>06:00,14:00,22:00</c>; null if they are none.</summary>
    public static IReadOnlyList<TimeOnly>? ParseShifts(string text)
    {
        var starts = new List<TimeOnly>();
        foreach (var start in text.Split(',', StringSplitOptions.TrimEntries))
            if (TimeOnly.TryParseExact(start, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
                starts.Add(time);
            else
                return null;
        return starts.Count <= MaxShifts ? [.. starts.Distinct().Order()] : null;
    }
}

/// <summary>Figures of a category.</summary>
/// <param name="Spans">One after the other, oldest first.</param>
internal sealed record SummaryResponse(IReadOnlyList<FigureResponse> Spans);

/// <summary>Figures of a span of time.</summary>
/// <param name="From">Its first moment.</param>
/// <param name="To">The moment behind its last.</param>
/// <param name="Parts">Inspections.</param>
/// <param name="Normal">Those that were normal.</param>
/// <param name="Review">Those to review.</param>
/// <param name="Rejects">Those that were anomalous.</param>
/// <param name="RejectShare">Their share; null without inspections.</param>
/// <param name="PValues">Inspections by p-value, a tenth each. Those of good parts are equally many in each.</param>
/// <param name="Drift">The largest distance of the p-values from that, 0 to 1; null for fewer than 30 parts.</param>
internal sealed record FigureResponse(
    DateTime From,
    DateTime To,
    int Parts,
    int Normal,
    int Review,
    int Rejects,
    double? RejectShare,
    IReadOnlyList<int> PValues,
    double? Drift
);

/// <summary>Where the defects of rejects are.</summary>
/// <param name="Inspections">Rejects that are counted, the latest 100,000 at most.</param>
/// <param name="Grid">Cells across and down.</param>
/// <param name="Cells">Rejects with a defect in each cell, row by row from the top.</param>
/// <param name="Hotspots">The cells with the most, 20 at most.</param>
internal sealed record ParetoResponse(
    int Inspections,
    int Grid,
    IReadOnlyList<int[]> Cells,
    IReadOnlyList<Hotspot> Hotspots
);

/// <summary>A cell with many defects.</summary>
/// <param name="X">Its left edge, in fractions of the width.</param>
/// <param name="Y">Its upper edge, in fractions of the height.</param>
/// <param name="Size">Its width and height, in fractions of those of the photograph.</param>
/// <param name="Inspections">Rejects with a defect there.</param>
/// <param name="Share">Their share of the rejects.</param>
/// <param name="Cumulative">The share of this cell and those before it of what all cells count.</param>
internal sealed record Hotspot(double X, double Y, double Size, int Inspections, double Share, double Cumulative);
