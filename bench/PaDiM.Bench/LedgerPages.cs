using System.Diagnostics;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PaDiM.Bench.Measuring;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Inspections;

namespace PaDiM.Bench;

/// <summary>Measures pages, figures and retention among made-up rows.</summary>
internal static class LedgerPages
{
    private const int Categories = 5,
        PageRows = 100,
        Repeats = 11;

    private const double StepMilliseconds = 500;

    private static readonly long FirstKey = InspectionKey.FromTime(new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));

    private static readonly long KeyStep = InspectionKey.FromTime(DateTime.UnixEpoch.AddMilliseconds(StepMilliseconds));

    public static async Task MeasureAsync(WebApplication app, int count, bool isPostgres)
    {
        var services = app.Services;
        // Rows of no category are deleted, and those of a category after a time.
        using (var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) })
            for (var k = 0; k < Categories; k++)
                (
                    await http.PutAsJsonAsync(
                        $"/v1/categories/c{k}",
                        new { inspections = new { days = InspectionSettings.MaxDays } }
                    )
                ).EnsureSuccessStatusCode();
        var clock = Stopwatch.StartNew();
        await using (var db = services.GetRequiredService<IDatabaseEngine>().CreateLedger())
        {
            db.Database.SetCommandTimeout(TimeSpan.FromHours(1));
            await FillAsync(db, count, isPostgres);
        }
        Console.WriteLine($"{count} rows filled in {clock.Elapsed.TotalSeconds:f0} s");
        var store = services.GetRequiredService<InspectionStore>();
        var table = new ReportTable("page of 100", "first, ms", "median, ms", "longest, ms");
        var all = new InspectionQuery("c1", null, null, null, null, null, null, null, null, null);
        var start = InspectionKey.GetTime(FirstKey);
        var middle = new DateTimeOffset(start.AddMilliseconds(count * 0.5 * StepMilliseconds));
        foreach (
            var (name, query, order) in new (string, InspectionQuery, InspectionOrder)[]
            {
                ("newest", all, InspectionOrder.Newest),
                ("of all categories", all with { Category = null }, InspectionOrder.Newest),
                ("before the middle", all with { To = middle }, InspectionOrder.Newest),
                ("anomalous", all with { Decision = new(Decision.Anomalous) }, InspectionOrder.Newest),
                (
                    "anomalous, before the middle",
                    all with
                    {
                        Decision = new(Decision.Anomalous),
                        To = middle,
                    },
                    InspectionOrder.Newest
                ),
                ("of a part", all with { Part = "P21" }, InspectionOrder.Newest),
                ("highest scores", all, InspectionOrder.Highest),
                (
                    "highest scores of an hour",
                    all with
                    {
                        From = middle.AddHours(-1),
                        To = middle,
                    },
                    InspectionOrder.Highest
                ),
                (
                    "highest scores of anomalous ones",
                    all with
                    {
                        Decision = new(Decision.Anomalous),
                    },
                    InspectionOrder.Highest
                ),
                ("scores from 50 on, lowest first", all with { MinScore = 50 }, InspectionOrder.Lowest),
                ("scores from 59 on, newest first", all with { MinScore = 59 }, InspectionOrder.Newest),
                ("review queue", all with { Verdict = new(VerdictFilter.Open) }, InspectionOrder.Oldest),
                (
                    "most doubtful of the review queue",
                    all with
                    {
                        Verdict = new(VerdictFilter.Open),
                    },
                    InspectionOrder.Lowest
                ),
            }
        )
            await AddTimesAsync(
                table,
                name,
                () =>
                    PageRequest.Parse(PageRows, null).Succeeded(out var page, out _)
                        ? store.ListAsync(query, null, order, page, default)
                        : throw new InvalidOperationException("A page cannot be asked for.")
            );
        table.Print($"Pages among {count} rows of {Categories} categories:");
        await MeasureFiguresAsync(services, all, start, start.AddMilliseconds(count * StepMilliseconds), count);
        clock.Restart();
        var deleted = await store.DeleteAsync("c1", null, FirstKey + 100_000L * KeyStep, default);
        Console.WriteLine(
            $"{deleted} old rows deleted in {clock.Elapsed.TotalMilliseconds:f0} ms, "
                + $"{clock.Elapsed.TotalMilliseconds / Math.Max(1, deleted / 500):f1} ms for 500"
        );
    }

    private static async Task MeasureFiguresAsync(
        IServiceProvider services,
        InspectionQuery query,
        DateTime start,
        DateTime end,
        int count
    )
    {
        var figures = services.GetRequiredService<InspectionFigures>();
        var table = new ReportTable("figures of a category", "first, ms", "median, ms", "longest, ms");
        var week = end.AddDays(-7) is var from && from > start ? from : start;
        foreach (
            var (name, span, zone, first) in new[]
            {
                ("summary of all by day", FigureSpan.Day, "UTC", start),
                ("of seven days by hour", FigureSpan.Hour, "UTC", week),
                ("of seven days by hour, in India", FigureSpan.Hour, "Asia/Kolkata", week),
            }
        )
        {
            if (
                !InspectionFigures
                    .Split(span, [], TimeZoneInfo.FindSystemTimeZoneById(zone), first.AddSeconds(7), end)
                    .Succeeded(out var bounds, out _)
            )
                throw new InvalidOperationException("The spans cannot be asked for.");
            await AddTimesAsync(table, name, () => figures.CountAsync(query.Category!, bounds, default));
            await AddTimesAsync(
                table,
                $"{name}, from the rows",
                () => CountRowsAsync(services, query.Category!, bounds)
            );
        }
        await AddTimesAsync(table, "map of the latest 100,000 rejects", () => figures.MapAsync(query, 16, default));
        table.Print($"Figures of {count / Categories} rows, of them {count / Categories / 97} rejects:");
    }

    /// <summary>Counts the rows of each span by decision and p-value, as figures were made before there were counts.</summary>
    private static async Task<int> CountRowsAsync(IServiceProvider services, string category, DateTime[] bounds)
    {
        await using var db = services.GetRequiredService<IDatabaseEngine>().CreateLedger();
        var rows = 0;
        foreach (var (from, to) in bounds.Zip(bounds.Skip(1)))
        {
            var (first, end) = (InspectionKey.FromTime(from), InspectionKey.FromTime(to));
            var counts = await db
                .Inspections.Where(row => row.Category == category && row.Key >= first && row.Key < end)
                .GroupBy(row => new { row.Decision, Bin = row.PValue >= 1 ? 9 : (int)Math.Floor(row.PValue * 10) })
                .Select(group => group.Count())
                .ToListAsync();
            rows += counts.Sum();
        }
        return rows;
    }

    private static async Task AddTimesAsync<T>(ReportTable table, string name, Func<Task<T>> ask)
    {
        var times = new List<double>();
        for (var k = 0; k < Repeats; k++)
        {
            var began = Stopwatch.GetTimestamp();
            await ask();
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
        var first = times[0];
        times.Sort();
        table.Add([name, $"{first:f1}", $"{times[times.Count / 2]:f1}", $"{times[^1]:f1}"]);
    }

    /// <summary>Rows first, indexes afterwards: a fifth of the time.</summary>
    private static async Task FillAsync(LedgerDbContext db, int count, bool isPostgres)
    {
        var table = isPostgres ? $"{PostgresLedgerContext.Schema}.\"Inspections\"" : "\"Inspections\"";
        var indexes = isPostgres
            ? await db
                .Database.SqlQueryRaw<string>(
                    "SELECT indexdef AS \"Value\" FROM pg_indexes WHERE schemaname = 'ledger' AND indexname LIKE 'IX%'"
                )
                .ToListAsync()
            : await db
                .Database.SqlQueryRaw<string>(
                    "SELECT sql AS Value FROM sqlite_master WHERE type = 'index' AND name LIKE 'IX%'"
                )
                .ToListAsync();
        foreach (var index in indexes)
        {
            var name = index.Split("INDEX ")[1].Split(' ')[0].Trim('"');
            await db.Database.ExecuteSqlRawAsync(
                isPostgres ? $"DROP INDEX {PostgresLedgerContext.Schema}.\"{name}\"" : $"DROP INDEX \"{name}\""
            );
        }
        var numbers = isPostgres
            ? FormattableString.Invariant($"SELECT i FROM generate_series(0::bigint, {count - 1}) AS i")
            : FormattableString.Invariant(
                $"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1}) SELECT i FROM n"
            );
        var hash = isPostgres ? "md5(i::text) || md5((-i)::text)" : "printf('%064x', i * 2654435761)";
        var id = isPostgres ? "lpad(to_hex(i), 32, '0')" : "printf('%032x', i)";
        var flag = isPostgres ? "false" : "0";
        await db.Database.ExecuteSqlRawAsync(
            FormattableString.Invariant(
                $"""
                INSERT INTO {table} ("Key", "Id", "Category", "Part", "Station", "Lot", "Decision", "Score", "Threshold",
                    "PValue", "ModelVersion", "ThresholdVersion", "Fallback", "Regions", "Width", "Height", "Sha256",
                    "Timings", "Replica")
                SELECT {FirstKey} + i * CAST({KeyStep} AS BIGINT), {id}, 'c' || (i % {Categories}), 'P' || (i / 2),
                    'S' || (i % 4), 'L' || (i / 5000),
                    CASE WHEN i % 97 = 0 THEN 'Anomalous' WHEN i % 89 = 0 THEN 'Review' ELSE 'Normal' END,
                    10 + (i * 7919 % 1000003) / 20000.0, 30, 0.3, 1, 0, {flag},
                    CASE WHEN i % 97 = 0 THEN '[[354,166,76,148,6308,39.8175]]' END, 512, 512, {hash},
                    '0.356,9.517,19.858,16.545,2.14,48.486', 'line-a'
                FROM ({numbers}) AS numbers
                """
            )
        );
        foreach (var index in indexes)
            await db.Database.ExecuteSqlRawAsync(index);
        await db.Database.ExecuteSqlRawAsync(isPostgres ? $"ANALYZE {table}" : "PRAGMA wal_checkpoint(TRUNCATE)");
    }
}
