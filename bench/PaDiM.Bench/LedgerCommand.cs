using System.CommandLine;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using PaDiM.Bench.Measuring;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Inspections;

namespace PaDiM.Bench;

/// <summary>
/// Measures the ledger: pages among millions of rows, the deletion of old ones, and what it costs a score.
/// </summary>
internal static class LedgerCommand
{
    private const int Categories = 5,
        PageRows = 100,
        Repeats = 11,
        Rounds = 40,
        ScoresPerRound = 25;

    public static Command Create()
    {
        var rows = new Option<int>("--rows")
        {
            Description = "Rows in the ledger; 0 to measure scores only.",
            DefaultValueFactory = _ => 10_000_000,
        };
        var database = new Option<string?>("--postgres")
        {
            Description = "Connection string of an empty database of PostgreSQL. Default: SQLite.",
        };
        var command = Workbench.CreateCommand(
            "ledger",
            "Measure pages and retention of the ledger among many rows, and p99 of scores with and without it.",
            async (workbench, arguments) =>
            {
                string[] store = arguments.GetValue(database) is { } connection
                    ? ["--Padim:Database:Provider=postgresql", $"--Padim:Database:ConnectionString={connection}"]
                    : [];
                await using var app = PaDiM.Service.Program.Build([
                    "--urls=http://127.0.0.1:0",
                    $"--Padim:DataDirectory={workbench.Scratch}",
                    "--Serilog:MinimumLevel:Default=Fatal",
                    .. store,
                ]);
                await PaDiM.Service.Hosting.Preparation.PrepareAsync(app);
                if (arguments.GetValue(rows) is var count and > 0)
                    await MeasurePagesAsync(app.Services, count, store.Length > 0);
                await app.StartAsync();
                await MeasureScoresAsync(app);
                await app.StopAsync();
            }
        );
        command.Add(rows);
        command.Add(database);
        return command;
    }

    private static async Task MeasurePagesAsync(IServiceProvider services, int count, bool isPostgres)
    {
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
                ("scores from 50 on, lowest first", all with { MinScore = 50 }, InspectionOrder.Lowest),
                ("review queue", all with { Verdict = new(VerdictFilter.Open) }, InspectionOrder.Oldest),
            }
        )
        {
            var times = new List<double>();
            for (var k = 0; k < Repeats; k++)
            {
                clock.Restart();
                if (!PageRequest.Parse(PageRows, null).Succeeded(out var page, out _))
                    throw new InvalidOperationException("A page cannot be asked for.");
                await store.ListAsync(query, null, order, page, default);
                times.Add(clock.Elapsed.TotalMilliseconds);
            }
            var first = times[0];
            times.Sort();
            table.Add([name, $"{first:f1}", $"{times[times.Count / 2]:f1}", $"{times[^1]:f1}"]);
        }
        table.Print($"Pages among {count} rows of {Categories} categories:");
        clock.Restart();
        var deleted = await store.DeleteAsync("c1", null, FirstKey + 100_000L * KeyStep, default);
        Console.WriteLine(
            $"{deleted} old rows deleted in {clock.Elapsed.TotalMilliseconds:f0} ms, "
                + $"{clock.Elapsed.TotalMilliseconds / Math.Max(1, deleted / 500):f1} ms for 500"
        );
    }

    private const double StepMilliseconds = 500;

    private static readonly long FirstKey = InspectionKey.FromTime(new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));

    private static readonly long KeyStep = InspectionKey.FromTime(DateTime.UnixEpoch.AddMilliseconds(StepMilliseconds));

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
            ? FormattableString.Invariant($"SELECT i FROM generate_series(0, {count - 1}) AS i")
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

    /// <summary>Scores the same images in turn by a category that keeps everything and by one that keeps nothing.</summary>
    private static async Task MeasureScoresAsync(WebApplication app)
    {
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        var images = Enumerable.Range(0, 12).Select(CreateImage).ToArray();
        var times = new Dictionary<string, List<double>>();
        foreach (var (name, keep) in new[] { ("kept", "all"), ("not-kept", "none") })
        {
            times[name] = [];
            await SendAsync(
                http.PutAsJsonAsync($"/v1/categories/{name}", new { inspections = new { keep, images = "all" } })
            );
            foreach (var image in images)
                await SendAsync(http.PostAsync($"/v1/categories/{name}/images", ToContent(image)));
            var job = (await SendAsync(http.PostAsync($"/v1/categories/{name}/fits", null)))!["id"];
            while ((string?)(await http.GetFromJsonAsync<JsonNode>($"/v1/jobs/{job}"))!["state"] != "succeeded")
                await Task.Delay(200);
        }
        var clock = new Stopwatch();
        for (var round = -2; round < Rounds; round++)
            foreach (var (name, list) in times)
                for (var k = 0; k < ScoresPerRound; k++)
                {
                    using var content = ToContent(images[k % images.Length]);
                    clock.Restart();
                    await SendAsync(http.PostAsync($"/v1/categories/{name}/score", content));
                    if (round >= 0)
                        list.Add(clock.Elapsed.TotalMilliseconds);
                }
        var table = new ReportTable("scores", "p50, ms", "p99, ms");
        foreach (var (name, list) in times)
        {
            list.Sort();
            table.Add([name, $"{Quantile(list, 0.5):f2}", $"{Quantile(list, 0.99):f2}"]);
        }
        table.Print($"{Rounds * ScoresPerRound} scores with and without the ledger, in turn:");
        var ratio = Quantile(times["kept"], 0.99) / Quantile(times["not-kept"], 0.99);
        Console.WriteLine($"p99 with the ledger / without: {ratio:f3}");
    }

    private static double Quantile(List<double> sorted, double share) =>
        sorted[Math.Min(sorted.Count - 1, (int)(share * sorted.Count))];

    private static async Task<JsonNode?> SendAsync(Task<HttpResponseMessage> sending)
    {
        using var response = await sending;
        var body = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? JsonNode.Parse(body) : throw new HttpRequestException(body);
    }

    private static ByteArrayContent ToContent(byte[] image) =>
        new(image) { Headers = { ContentType = new MediaTypeHeaderValue("image/x-portable-pixmap") } };

    /// <summary>Creates a gradient with a little noise, as a portable pixmap.</summary>
    private static byte[] CreateImage(int seed)
    {
        const int side = 256;
        var random = new Random(seed);
        var image = new byte[15 + 3 * side * side];
        "P6\n256 256\n255\n"u8.CopyTo(image);
        for (var k = 0; k < 3 * side * side; k++)
            image[15 + k] = (byte)(k / 3 % side / 2 + 40 + random.Next(12));
        return image;
    }
}
