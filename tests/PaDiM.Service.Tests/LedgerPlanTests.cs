using System.Globalization;
using System.Text.RegularExpressions;
using PaDiM.Service.Data;
using PaDiM.Service.Inspections;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>What the ledger asks of PostgreSQL among many rows, as the server logs it.</summary>
public sealed partial class LedgerPlanTests : IDisposable
{
    private const int Limit = 50;
    private readonly TempDirectory _data = new();
    private PostgresServer _server = null!;
    private string _database = "";

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Among_many_rows_a_page_reads_few()
    {
        _server = await PostgresServer.GetAsync();
        _database = await QueryPlanTests.CreateLoggingAsync(_server);
        await using var service = await RunningService.StartAsync(_data.Path, PostgresServer.Options(_database));
        for (var k = 0; k < 4; k++)
            await service.Category($"c{k}").CreateAsync(new { inspections = new { days = 3660 } });
        await service.Category("gone").CreateAsync(new { inspections = new { days = 3660 } });
        await PostgresServer.ExecuteAsync(_database, FillSql);

        foreach (
            var query in new[]
            {
                "",
                "&category=c1",
                "&category=c1&order=oldest",
                "&category=c1&order=highest",
                "&category=c1&order=lowest",
                "&category=c1&to=2026-01-01T12:00:00Z",
                "&category=c1&decision=anomalous",
                "&category=c1&decision=anomalous&to=2026-01-01T12:00:00Z",
                "&category=c1&part=P2100",
                "&category=c1&minScore=50",
                "&category=c1&minScore=50&order=lowest",
                "&category=c1&maxScore=12",
                "&category=c1&verdict=open&order=oldest",
                "&category=c1&verdict=good",
                // Its rows are the oldest fortieth of all.
                "&category=gone",
                "&category=gone&order=oldest",
                "&category=gone&order=highest",
            }
        )
        {
            var most = await ReadMostAsync(async () =>
            {
                var page = await service.Http.GetJsonAsync($"/v1/inspections?limit={Limit}{query}");
                if (page["nextCursor"] is { } cursor)
                    await service.Http.GetJsonAsync($"/v1/inspections?limit={Limit}{query}&cursor={cursor}");
            });
            Assert.True(most.Rows <= Limit + 1, $"{query} reads {most.Rows} rows: {most.Plan}");
        }

        // A day of figures is a few hundred counts, and one statement for all of its hours.
        var summary = await ReadMostAsync(() =>
            service.Http.GetJsonAsync(
                "/v1/inspections/summary?category=c1&by=hour&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z"
            )
        );
        Assert.True(summary.Rows <= 24 * 4 * 3, summary.Plan);
        Assert.Equal(1, summary.Statements);
        // Beside it one for the beginnings and the ends of spans that no quarter begins with.
        summary = await ReadMostAsync(() =>
            service.Http.GetJsonAsync(
                "/v1/inspections/summary?category=c1&by=shift&shifts=06:01,14:01,22:01&from=2026-01-01T00:00:00Z"
                    + "&to=2026-01-02T00:00:00Z"
            )
        );
        // Six pieces of up to 14 minutes, with a row every two seconds.
        Assert.True(summary.Rows <= 6 * 14 * 30, summary.Plan);
        Assert.Equal(2, summary.Statements);
        // Retention looks at two ends of each category, and takes its pieces from the end of an index.
        var retention = service.Get<InspectionRetention>();
        var looked = await ReadMostAsync(() => retention.RunAsync(default));
        Assert.True(looked.Rows <= 600, looked.Plan);
        var before = InspectionKey.FromTime(new DateTime(2026, 1, 1, 3, 0, 0, DateTimeKind.Utc));
        var deleted = await ReadMostAsync(() =>
            service.Get<InspectionStore>().DeleteAsync("c1", null, before, default)
        );
        Assert.True(deleted.Rows <= 500, deleted.Plan);
        Assert.DoesNotContain("Seq Scan", deleted.Plan, StringComparison.Ordinal);
    }

    /// <summary>Gets the most rows that a step of a plan has read, that plan, and how many there were.</summary>
    private async Task<(long Rows, string Plan, int Statements)> ReadMostAsync(Func<Task> act)
    {
        var seen = (await QueryPlanTests.ReadPlansAsync(_server, _database)).Count;
        await act();
        var most = (Rows: 0L, Plan: "", Statements: 0);
        foreach (var plan in (await QueryPlanTests.ReadPlansAsync(_server, _database))[seen..])
        {
            if (!plan.Contains("\"Inspection", StringComparison.Ordinal))
                continue;
            most.Statements++;
            var rows = Steps()
                .Matches(plan)
                .Select(step =>
                    (long)double.Parse(step.Groups[1].Value, CultureInfo.InvariantCulture)
                    * long.Parse(step.Groups[2].Value, CultureInfo.InvariantCulture)
                )
                .Concat(
                    Removed().Matches(plan).Select(m => long.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture))
                )
                .Max();
            if (rows > most.Rows)
                most = (rows, plan, most.Statements);
        }
        Assert.NotEmpty(most.Plan);
        return most;
    }

    [GeneratedRegex(@"actual rows=([0-9.]+) loops=(\d+)")]
    private static partial Regex Steps();

    [GeneratedRegex(@"Rows Removed by [A-Za-z ]+: (\d+)")]
    private static partial Regex Removed();

    /// <summary>A row every half a second, of four categories after a first one. The indexes come afterwards.</summary>
    private const string FillSql = """
        CREATE TEMP TABLE indexes AS SELECT indexname, indexdef FROM pg_indexes
            WHERE schemaname = 'ledger' AND tablename = 'Inspections' AND indexname LIKE 'IX%';
        DO $$ DECLARE i record; BEGIN
            FOR i IN SELECT * FROM indexes LOOP EXECUTE format('DROP INDEX ledger.%I', i.indexname); END LOOP; END $$;
        INSERT INTO ledger."Inspections" ("Key", "Id", "Category", "Part", "Station", "Lot", "Decision", "Score",
                "Threshold", "PValue", "ModelVersion", "ThresholdVersion", "Fallback", "Width", "Height", "Sha256", "Timings",
                "Replica", "Verdict", "VerdictBy", "VerdictAt", "ImageBytes")
            SELECT (1767225600000000 + i * 500000::bigint) << 10, 'i' || i, CASE WHEN i < 5000 THEN 'gone' ELSE 'c' || i % 4 END, 'P' || i / 8, 'S' || i % 3,
                'L' || i / 1000,
                CASE WHEN i % 97 = 0 THEN 'Anomalous' WHEN i % 89 = 0 THEN 'Review' ELSE 'Normal' END,
                10 + (i * 7919::bigint % 1000003) / 20000.0, 30, (i % 100) / 100.0, 1, 0, false, 512, 512, md5(i::text),
                '0,0,0,0,0,0', 'a', CASE WHEN i % 997 = 0 THEN 'Good' END, 'boss', now(),
                CASE WHEN i % 97 = 0 AND i % 4 = 1 AND i < 100000 THEN 10000 END
            FROM generate_series(0, 199999) AS i;
        DO $$ DECLARE i record; BEGIN FOR i IN SELECT * FROM indexes LOOP EXECUTE i.indexdef; END LOOP; END $$;
        ANALYZE;
        """;
}
