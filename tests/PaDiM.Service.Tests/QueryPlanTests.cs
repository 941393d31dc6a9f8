using System.Text.RegularExpressions;
using Npgsql;
using PaDiM.Service.Data;
using PaDiM.Service.Images;
using PaDiM.Service.Jobs;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>What the service asks of PostgreSQL, as the server logs it.</summary>
public sealed partial class QueryPlanTests : IDisposable
{
    private readonly TempDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task At_a_million_rows_no_request_reads_a_table_from_end_to_end()
    {
        var server = await PostgresServer.GetAsync();
        var database = await CreateLoggingAsync(server);
        await using (var empty = await RunningService.StartAsync(_data.Path, PostgresServer.Options(database)))
            await empty.Category("c0").CreateAsync();
        await PostgresServer.ExecuteAsync(database, FillSql);
        await PostgresServer.ExecuteAsync(database, VacuumSql);
        await using var service = await RunningService.StartByAsync(
            new StoppedTime(),
            _data.Path,
            [("JobWorkers", 0), .. PostgresServer.Options(database)]
        );
        // The sweep at the start lists what rows refer to, all of it, and the next one is a minute of the clock away.
        await Eventually.TrueAsync(
            async () => (await ReadPlansAsync(server, database)).Exists(Listing().IsMatch),
            () => "The sweep has not read the images."
        );
        var seen = (await ReadPlansAsync(server, database)).Count;

        var category = service.Category("c5");
        var pages = new[]
        {
            "/v1/categories",
            category.Url,
            $"{category.Url}/images?limit=50",
            $"{category.Url}/images?limit=50&label=normal",
            $"{category.Url}/models",
            "/v1/jobs?limit=50",
            "/v1/jobs?limit=50&category=c5",
            "/v1/jobs?limit=50&state=queued",
            $"/v1/jobs/{5000:x32}",
            "/v1/audit?limit=50",
            "/v1/audit?limit=50&category=c5",
        };
        Assert.Contains("padim_jobs{", await service.Http.GetStringAsync("/metrics"), StringComparison.Ordinal);
        foreach (var page in pages)
        {
            var answer = await service.Http.GetJsonAsync(page);
            if (answer["nextCursor"] is { } cursor)
                await service.Http.GetJsonAsync($"{page}{(page.Contains('?') ? '&' : '?')}cursor={cursor}");
        }
        Assert.Null((await service.Get<ImageStore>().GetAsync("c5", $"{5000:x32}", default)).Problem);
        await category.UploadPartsAsync(0, 1);
        var store = service.Get<JobStore>();
        Assert.True((await store.EnqueueAsync(JobKind.Fit, "c5", "{}", "key", default)).Succeeded(out _, out _));
        var leases = service.Get<IJobLeases>();
        var job = await leases.ClaimAsync("worker", default);
        Assert.NotNull(job);
        var lease = new JobLease(job.Id, job.Fence);
        Assert.Equal(LeaseState.Held, await leases.RenewAsync(lease, new JobProgress("embedding", 0.5, null), default));
        await store.FinishAsync(lease, JobState.Cancelled, null, default);

        var plans = (await ReadPlansAsync(server, database))[seen..];
        Assert.InRange(plans.Count, 30, 1000);
        // The metrics count the jobs that have ended, which are most of the table, at most once per minute: by the index, or
        // by the table where the planner finds that as cheap.
        plans.RemoveAll(plan => plan.Contains("IN ('Succeeded', 'Failed', 'Cancelled')", StringComparison.Ordinal));
        if (plans.Find(WholeTable().IsMatch) is { } plan)
            Assert.Fail(plan);
    }

    /// <summary>The clock of the service stands still, so that nothing but the scores could ask.</summary>
    [Fact]
    public async Task A_score_with_a_model_in_memory_asks_nothing()
    {
        var server = await PostgresServer.GetAsync();
        var database = await CreateLoggingAsync(server);
        string key;
        await using (var first = await RunningService.StartAsync(_data.Path, PostgresServer.Options(database)))
        {
            await first.Category("part").CreateFittedAsync(3);
            (key, _) = await first.KeyAsync(Http.AccessScope.Score);
        }
        await using var service = await RunningService.StartByAsync(
            new StoppedTime(),
            _data.Path,
            [("JobWorkers", 0), .. PostgresServer.Options(database)]
        );
        using var line = service.With(key);
        var category = new CategoryClient(line, "part");
        await category.ScoreAsync(Parts.Good(1));
        // The key's use is recorded in the background.
        await Eventually.TrueAsync(
            async () => (await ReadPlansAsync(server, database)).Exists(plan => plan.Contains("LastUsedAt\" =")),
            () => "The use of the key was not recorded."
        );
        var before = await ReadPlansAsync(server, database);
        for (var k = 0; k < 20; k++)
            await category.ScoreAsync(Parts.Good(k));
        Assert.Equal(before.Count, (await ReadPlansAsync(server, database)).Count);
    }

    /// <summary>What <c>docs/scaling.md</c> counts: one statement a second, which asks for the revisions of categories.</summary>
    [Fact]
    public async Task A_replica_that_does_nothing_asks_for_changes_of_categories_and_for_nothing_else()
    {
        var server = await PostgresServer.GetAsync();
        var database = await CreateLoggingAsync(server);
        var time = new StoppedTime();
        await using var service = await RunningService.StartByAsync(
            time,
            _data.Path,
            [("JobWorkers", 0), .. PostgresServer.Options(database)]
        );
        await Eventually.TrueAsync(
            () => Task.FromResult(service.Get<ChangeFeed>().IsHeard),
            () => "It does not listen."
        );
        // What it reads at the start and once it listens.
        await LookAsync();
        var before = (await ReadPlansAsync(server, database)).Count;
        for (var second = 0; second < 5; second++)
            await LookAsync();
        Assert.All(
            (await ReadPlansAsync(server, database))[before..],
            plan => Assert.Contains("\"Revision\"", plan, StringComparison.Ordinal)
        );

        async Task LookAsync()
        {
            var looks = await CountLooksAsync();
            time.Advance(TimeSpan.FromSeconds(1));
            await Eventually.TrueAsync(async () => await CountLooksAsync() > looks, () => "It does not look.");
        }

        async Task<int> CountLooksAsync() =>
            (await ReadPlansAsync(server, database)).Count(plan =>
                plan.Contains("\"Revision\"", StringComparison.Ordinal)
                && plan.Contains("\"Categories\"", StringComparison.Ordinal)
            );
    }

    /// <summary>Creates a database whose statements the server logs with their plans.</summary>
    internal static async Task<string> CreateLoggingAsync(PostgresServer server)
    {
        var database = await server.CreateAsync();
        var name = new NpgsqlConnectionStringBuilder(database).Database;
        await PostgresServer.ExecuteAsync(
            database,
            $"""
            LOAD 'auto_explain';
            ALTER DATABASE {name} SET session_preload_libraries = 'auto_explain';
            ALTER DATABASE {name} SET auto_explain.log_min_duration = 0;
            ALTER DATABASE {name} SET auto_explain.log_analyze = on;
            ALTER DATABASE {name} SET auto_explain.log_timing = off;
            """
        );
        return database;
    }

    internal static async Task<List<string>> ReadPlansAsync(PostgresServer server, string database)
    {
        var name = new NpgsqlConnectionStringBuilder(database).Database;
        await using var stream = new FileStream(server.Log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        var plans = new List<string>();
        var isPlan = false;
        while (await reader.ReadLineAsync() is { } line)
            if (line.StartsWith('\t'))
            {
                if (isPlan)
                    plans[^1] += $"\n{line}";
            }
            else if (isPlan = line.StartsWith($"{name} LOG:  duration:", StringComparison.Ordinal))
                plans.Add(line);
        return plans;
    }

    [GeneratedRegex("Seq Scan on \"(Images|Jobs|AuditEntries|ModelImages)\"")]
    private static partial Regex WholeTable();

    /// <summary>The sweep's list of all images, once there are a million: the first service has swept an empty table.</summary>
    [GeneratedRegex(
        "SELECT i.\"Category\", i.\"Sha256\", i.\"MaskSha256\"\\s+FROM \"Images\" AS i\\s+Seq Scan.*actual rows=1000000"
    )]
    private static partial Regex Listing();

    /// <summary>
    /// Without indexes, keys and triggers, a million rows take a third of the time; the indexes come afterwards.
    /// </summary>
    private const string FillSql = """
        SET session_replication_role = replica;
        CREATE TEMP TABLE indexes AS SELECT indexname, indexdef FROM pg_indexes
            WHERE tablename IN ('Images', 'Jobs', 'AuditEntries') AND indexname LIKE 'IX%';
        DO $$ DECLARE i record; BEGIN
            FOR i IN SELECT * FROM indexes LOOP EXECUTE format('DROP INDEX %I', i.indexname); END LOOP; END $$;
        INSERT INTO "Categories" SELECT 'c' || i, "FalseRejectRate", "IgnoreMaskSha256", "Pinned", "ActiveVersion",
            "LastVersion", "Revision", "CreatedAt", "UpdatedAt", "Settings"
            FROM "Categories", generate_series(1, 2000) AS i;
        INSERT INTO "Images" ("Id", "Category", "Sha256", "PixelSha256", "FileName", "Format", "Width", "Height", "Bytes",
                "Label", "HeldOut", "CreatedAt")
            SELECT lpad(to_hex(i), 32, '0'), 'c' || i / 1000, md5(i::text), md5((-i)::text), 'x.png', 'Png', 64, 64, 99,
                CASE i % 10 WHEN 0 THEN 'Anomalous' ELSE 'Normal' END, false, now()
            FROM generate_series(1, 1000000) AS i;
        INSERT INTO "Jobs" ("Id", "Kind", "Category", "Request", "State", "Progress", "CreatedAt", "Attempts",
                "CancelRequested", "Fence")
            SELECT lpad(to_hex(i), 32, '0'), 'Fit', 'c' || i % 2000, '{}', 'Succeeded', 1, now(), 1, false, 1
            FROM generate_series(1, 300000) AS i;
        INSERT INTO "AuditEntries" ("At", "Actor", "Action", "Category", "Target", "Status")
            SELECT now(), 'boss', 'image.delete', 'c' || i % 2000, '/', 204 FROM generate_series(1, 300000) AS i;
        DO $$ DECLARE i record; BEGIN FOR i IN SELECT * FROM indexes LOOP EXECUTE i.indexdef; END LOOP; END $$;
        UPDATE "Images" SET "Category" = 'c5' WHERE "Id" = lpad(to_hex(5000), 32, '0');
        ANALYZE;
        """;

    /// <summary>What autovacuum does in time, and a test has to do itself: an index then says which rows are visible.</summary>
    private const string VacuumSql = """VACUUM ANALYZE "Jobs" """;
}
