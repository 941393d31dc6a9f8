using System.Collections.Concurrent;
using System.Net.Http.Json;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Jobs;
using PaDiM.Service.Sinks;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Several services on one PostgreSQL.</summary>
public sealed class ReplicaTests : IDisposable
{
    private readonly TempDirectory _data = new();

    public void Dispose() => _data.Dispose();

    /// <summary>The clock of the second replica stands still, so that only notifications can tell it anything.</summary>
    [Fact]
    public async Task A_replica_hears_of_changes_without_looking()
    {
        var database = await PostgresServer.CreateOptionsAsync();
        await using var first = await RunningService.StartAsync(_data.Path, database);
        await using var second = await RunningService.StartByAsync(
            new StoppedTime(),
            _data.Path,
            [("JobWorkers", 0), .. database]
        );
        var category = first.Category("part");
        await category.CreateFittedAsync(3);
        var (text, id) = await first.KeyAsync(AccessScope.Admin);
        using var boss = first.With(text);
        using var line = second.With(text);
        category = new CategoryClient(boss, "part");
        var there = new CategoryClient(line, "part");
        await Eventually.TrueAsync(
            async () => (int)(await there.SendScoreAsync(Parts.Good(1))).StatusCode == 200,
            () => "The second replica did not hear of the key."
        );

        await (await category.PatchThresholdAsync(new { threshold = 7.5 })).JsonAsync(200);
        await ExpectAsync(there, scored => scored.Number("threshold") == 7.5, "threshold");
        Assert.Equal(2, await category.FitAsync());
        await ExpectAsync(there, scored => scored["modelVersion"]!.GetValue<int>() == 2, "new version");
        await (await boss.PostAsync($"{category.Url}/models/1/activate", null)).JsonAsync(200);
        await ExpectAsync(there, scored => scored["modelVersion"]!.GetValue<int>() == 1, "activation");
        var sinks = second.Get<SinkRegistry>();
        await (await boss.PutAsJsonAsync("/v1/sinks/archive", new { folder = new { } })).JsonAsync(201);
        await Eventually.TrueAsync(
            () => Task.FromResult(sinks.Find("archive") is not null),
            () => "The second replica did not hear of the sink."
        );
        await boss.DeleteAsync("/v1/sinks/archive");
        await Eventually.TrueAsync(
            () => Task.FromResult(sinks.Find("archive") is null),
            () => "The second replica did not hear of the deleted sink."
        );
        await boss.DeleteAsync(category.Url);
        await Eventually.TrueAsync(
            async () => (int)(await there.SendScoreAsync(Parts.Good(1))).StatusCode == 404,
            () => "The second replica did not hear of the deletion."
        );
        await boss.DeleteAsync($"/v1/keys/{id}");
        await Eventually.TrueAsync(
            async () => (int)(await line.GetAsync("/v1/categories")).StatusCode == 401,
            () => "The second replica did not hear of the revoked key."
        );

        static Task ExpectAsync(
            CategoryClient there,
            Func<System.Text.Json.Nodes.JsonNode, bool> condition,
            string change
        ) =>
            Eventually.TrueAsync(
                async () => condition(await there.ScoreAsync(Parts.Good(1))),
                () => $"The second replica did not hear of the {change}."
            );
    }

    [Fact]
    public async Task Behind_a_pooler_in_transaction_mode_everything_works_and_changes_are_found_by_looking()
    {
        await using var pooler = await Pooler.StartAsync();
        var direct = await (await PostgresServer.GetAsync()).CreateAsync("template0");
        var options = PostgresServer.Options(pooler.Lead(direct));
        await using var first = await RunningService.StartAsync(
            _data.Path,
            [.. options, ("Database:MaxConnections", 8)]
        );
        await using var second = await RunningService.StartAsync(_data.Path, [("JobWorkers", 0), .. options]);
        var category = first.Category("part");
        await category.CreateFittedAsync(3);
        var there = second.Category("part");
        await there.ScoreAsync(Parts.Good(1));
        await (await category.PatchThresholdAsync(new { threshold = 7.5 })).JsonAsync(200);
        await Eventually.TrueAsync(
            async () => (await there.ScoreAsync(Parts.Good(1))).Number("threshold") == 7.5,
            () => "The second replica did not find the threshold."
        );
        // Many requests share few sessions, and no statement depends on which one it gets.
        var uploads = await Task.WhenAll(
            Enumerable.Range(10, 12).Select(k => Task.Run(() => category.UploadPartsAsync(k, 1)))
        );
        Assert.Equal(12, uploads.SelectMany(ids => ids).Distinct().Count());
        Assert.Equal(2, await category.FitAsync());
    }

    /// <summary>Nobody tells the second replica of changes, and its clock goes only as far as the test lets it.</summary>
    [Fact]
    public async Task Without_notifications_a_replica_finds_changes_within_a_second_of_its_clock()
    {
        var server = await PostgresServer.GetAsync();
        var database = PostgresServer.Options(await server.CreateAsync());
        await using var first = await RunningService.StartAsync(_data.Path, database);
        var category = first.Category("part");
        await category.CreateFittedAsync(3);
        var (text, id) = await first.KeyAsync(AccessScope.Admin);
        var (lastText, _) = await first.KeyAsync(AccessScope.Admin, name: "last");
        using var boss = first.With(lastText);
        category = new CategoryClient(boss, "part");
        var time = new StoppedTime();
        await using var second = await RunningService.StartByAsync(
            time,
            _data.Path,
            [
                ("Role", "score"),
                ("Database:ListenConnectionString", server.GetConnectionString("postgres")),
                .. database,
            ]
        );
        using var line = second.With(text);
        var there = new CategoryClient(line, "part");
        await there.ScoreAsync(Parts.Good(1));

        await (await category.PatchThresholdAsync(new { threshold = 7.5 })).JsonAsync(200);
        Assert.NotEqual(7.5, (await there.ScoreAsync(Parts.Good(1))).Number("threshold"));
        await FindsAsync(async () => (await there.ScoreAsync(Parts.Good(1))).Number("threshold") == 7.5);
        Assert.Equal(2, await category.FitAsync());
        await FindsAsync(async () => (await there.ScoreAsync(Parts.Good(1)))["modelVersion"]!.GetValue<int>() == 2);
        await (await boss.PutAsJsonAsync("/v1/sinks/archive", new { folder = new { } })).JsonAsync(201);
        await FindsAsync(() => Task.FromResult(second.Get<SinkRegistry>().Find("archive") is not null));
        await boss.DeleteAsync($"/v1/keys/{id}");
        await FindsAsync(async () => (int)(await line.GetAsync("/v1/categories")).StatusCode == 401);

        Task FindsAsync(Func<Task<bool>> condition)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return Eventually.TrueAsync(condition, () => "The second replica did not find the change.");
        }
    }

    /// <summary>
    /// A score reads what this replica holds: nothing of what another one does for a fit is in its way, neither a row
    /// nor a connection.
    /// </summary>
    [Fact]
    public async Task While_another_replica_fits_a_score_sends_nothing_to_the_database()
    {
        var server = await PostgresServer.GetAsync();
        var direct = await server.CreateAsync();
        using var connection = new Forwarder(server.Port);
        await using var fit = await RunningService.StartAsync(
            _data.Path,
            [("Role", "fit"), .. PostgresServer.Options(direct)]
        );
        var category = fit.Category("part");
        await category.CreateFittedAsync(3);
        var (text, _) = await fit.KeyAsync(AccessScope.Admin);
        using var boss = fit.With(text);
        category = new CategoryClient(boss, "part");
        await using var score = await RunningService.StartByAsync(
            new StoppedTime(),
            _data.Path,
            [
                ("Role", "score"),
                ("Database:ListenConnectionString", server.GetConnectionString("postgres")),
                .. PostgresServer.Options(connection.Lead(direct)),
            ]
        );
        using var line = score.With(text);
        var there = new CategoryClient(line, "part");
        await there.ScoreAsync(Parts.Good(1));
        // The use of the key is recorded beside the score, and the listener tries whether it hears.
        await IsQuietAsync();
        var before = connection.Sent;
        var job = await category.StartFitAsync();
        var scores = 0;
        do
        {
            await there.ScoreAsync(Parts.Good(scores++));
        } while ((await boss.GetJsonAsync($"/v1/jobs/{job}")).Text("state") is "queued" or "running");
        for (var k = 0; k < 10; k++)
            await there.ScoreAsync(Parts.Good(k));
        Assert.Equal(before, connection.Sent);

        async Task IsQuietAsync()
        {
            for (long seen = -1; seen != connection.Sent; await Task.Delay(300))
                seen = connection.Sent;
        }
    }

    [Fact]
    public async Task A_job_is_followed_on_a_replica_that_does_not_run_it()
    {
        var database = await PostgresServer.CreateOptionsAsync();
        await using var first = await RunningService.StartAsync(_data.Path, [("Role", "score"), .. database]);
        var store = first.Get<JobStore>();
        await first.Category("part").CreateAsync();
        Assert.True(
            (await store.EnqueueAsync(JobKind.Fit, "part", "{}", null, default)).Succeeded(out var queued, out _)
        );
        await using var second = await RunningService.StartAsync(_data.Path, [("Role", "score"), .. database]);
        // As a worker of the second replica would do it.
        var leases = second.Get<IJobLeases>();
        using var stream = await first.Http.GetStreamAsync($"/v1/jobs/{queued.Id}/events");
        using var events = new StreamReader(stream);
        Assert.Equal("queued", (await NextAsync()).Text("state"));
        var job = (await leases.ClaimAsync("second", default))!;
        Assert.Equal("running", (await NextAsync()).Text("state"));
        var lease = new JobLease(job.Id, job.Fence);
        foreach (var share in new[] { 0.25, 0.5 })
        {
            await leases.RenewAsync(lease, new JobProgress("embedding", share, 9), default);
            Assert.Equal(share, (await NextAsync()).Number("progress"));
        }
        await second.Get<JobStore>().FinishAsync(lease, JobState.Failed, Problems.Unexpected().Fault, default);
        Assert.Equal("failed", (await NextAsync()).Text("state"));
        Assert.Null(await NextLineAsync());

        async Task<System.Text.Json.Nodes.JsonNode> NextAsync() =>
            System.Text.Json.Nodes.JsonNode.Parse((await NextLineAsync())!["data: ".Length..])!;

        async Task<string?> NextLineAsync()
        {
            while (await events.ReadLineAsync() is { } read)
                if (read.StartsWith("data: ", StringComparison.Ordinal))
                    return read;
            return null;
        }
    }

    [Fact]
    public async Task An_idempotency_key_starts_one_job_whichever_replicas_it_is_sent_to()
    {
        var database = await PostgresServer.CreateOptionsAsync();
        (string, object)[] options = [("Role", "score"), .. database];
        await using var first = await RunningService.StartAsync(_data.Path, options);
        await using var second = await RunningService.StartAsync(_data.Path, options);
        var category = first.Category("part");
        await category.CreateAsync();
        await category.UploadPartsAsync(0, 3);
        await category.UploadRawAsync(Parts.Bad(1), "image/bmp", "?label=anomalous");
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 12).Select(k => Task.Run(() => StartAsync(k % 2 == 0 ? first : second, "fits", "once")))
        );
        Assert.Single(answers.Select(answer => answer.Text("id")).Distinct());
        Assert.Single((await second.Http.GetJsonAsync("/v1/jobs")).Items());
        Assert.NotEqual(answers[0].Text("id"), (await StartAsync(second, "fits", "again")).Text("id"));

        static async Task<System.Text.Json.Nodes.JsonNode> StartAsync(RunningService replica, string what, string key)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/categories/part/{what}");
            request.Headers.Add("Idempotency-Key", key);
            return await (await replica.Http.SendAsync(request)).JsonAsync(202);
        }
    }

    /// <summary>A server that accepts connections and never answers is worse than one that is gone.</summary>
    [Fact]
    public async Task While_the_database_hangs_models_in_memory_score_and_the_rest_is_refused_in_time()
    {
        var server = await PostgresServer.GetAsync();
        using var connection = new Forwarder(server.Port);
        var time = new ManualTime();
        await using var service = await RunningService.StartByAsync(
            time,
            _data.Path,
            [
                ("RequestsPerMinute", 10_000),
                .. PostgresServer.Options(connection.Lead(await server.CreateAsync()) + ";Timeout=1;Command Timeout=1"),
            ]
        );
        await service.Category("part").CreateFittedAsync(3);
        var (text, _) = await service.KeyAsync(AccessScope.Admin);
        using var boss = service.With(text);
        var category = new CategoryClient(boss, "part");
        await category.ScoreAsync(Parts.Good(1));
        connection.Stall();
        for (var k = 0; k < 5; k++)
        {
            time.Advance(TimeSpan.FromSeconds(10));
            await category.ScoreAsync(Parts.Good(k));
        }
        await (await boss.GetAsync("/v1/categories")).ProblemAsync(503, "database_unavailable");
        Assert.Equal("degraded", (await boss.GetJsonAsync("/health/ready")).Text("status"));
        connection.Mend();
        await Eventually.TrueAsync(
            async () => (await boss.GetJsonAsync("/health/ready")).Text("status") == "ok",
            () => "The service did not find the database again."
        );
        await (await category.PatchThresholdAsync(new { threshold = 7.5 })).JsonAsync(200);
    }

    [Fact]
    public void A_database_that_hangs_is_given_up_in_seconds()
    {
        var parsed = PostgresEngine.Parse("Host=db;Database=padim");
        Assert.Equal((5, 10), (parsed.Timeout, parsed.CommandTimeout));
        parsed = PostgresEngine.Parse("Host=db;Database=padim;Timeout=3;Command Timeout=60");
        Assert.Equal((3, 60), (parsed.Timeout, parsed.CommandTimeout));
    }

    [Fact]
    public async Task Workers_of_two_replicas_neither_lose_nor_double_a_job()
    {
        const int jobs = 60,
            categories = 7;
        var database = await PostgresServer.CreateOptionsAsync();
        await using var first = await RunningService.StartAsync(_data.Path, [("JobWorkers", 0), .. database]);
        await using var second = await RunningService.StartAsync(_data.Path, [("JobWorkers", 0), .. database]);
        var store = first.Get<JobStore>();
        for (var k = 0; k < jobs; k++)
            Assert.True(
                (await store.EnqueueAsync(JobKind.Fit, $"c{k % categories}", "{}", null, default)).Succeeded(
                    out _,
                    out _
                )
            );
        var done = new ConcurrentBag<string>();
        var running = new ConcurrentDictionary<string, string>();
        await Task.WhenAll(
            Enumerable.Range(0, 8).Select(k => Task.Run(() => WorkAsync(k % 2 == 0 ? first : second, $"worker-{k}")))
        );
        Assert.Equal(jobs, done.Count);
        Assert.Equal(jobs, done.Distinct().Count());
        await using var db = await first.Get<IDbContextFactory<PadimDbContext>>().CreateDbContextAsync();
        Assert.Equal(
            jobs,
            await db.Jobs.CountAsync(job => job.State == JobState.Cancelled && job.Attempts == 1 && job.Fence == 1)
        );

        async Task WorkAsync(RunningService replica, string worker)
        {
            var leases = replica.Get<IJobLeases>();
            var queue = replica.Get<JobStore>();
            while (done.Count < jobs)
            {
                if (await leases.ClaimAsync(worker, default) is not { } job)
                    continue;
                Assert.True(running.TryAdd(job.Category, job.Id), $"Two jobs of {job.Category} run at once.");
                await Task.Yield();
                Assert.True(running.TryRemove(job.Category, out _));
                await queue.FinishAsync(new JobLease(job.Id, job.Fence), JobState.Cancelled, null, default);
                done.Add(job.Id);
            }
        }
    }

    [Fact]
    public async Task While_the_database_is_away_models_in_memory_score()
    {
        var server = await PostgresServer.GetAsync();
        var direct = await server.CreateAsync();
        using var connection = new Forwarder(server.Port);
        var options = PostgresServer.Options(
            new NpgsqlConnectionStringBuilder(direct) { Port = connection.Port }.ConnectionString
        );
        var time = new ManualTime();
        await using var service = await RunningService.StartByAsync(time, _data.Path, options);
        await service.Category("part").CreateFittedAsync(3);
        var (text, id) = await service.KeyAsync(AccessScope.Admin);
        using var boss = service.With(text);
        var category = new CategoryClient(boss, "part");
        var before = await category.ScoreAsync(Parts.Bad(1));

        connection.Cut();
        for (var k = 0; k < 5; k++)
        {
            // The keys are too old, and have to be read again.
            time.Advance(TimeSpan.FromSeconds(10));
            Assert.Equal(before.Number("score"), (await category.ScoreAsync(Parts.Bad(1))).Number("score"));
        }
        await (await boss.GetAsync("/v1/categories")).ProblemAsync(503, "database_unavailable");
        await (await new CategoryClient(boss, "other").SendScoreAsync(Parts.Good(1))).ProblemAsync(
            503,
            "database_unavailable"
        );
        var health = await boss.GetAsync("/health/ready");
        var ready = await health.JsonAsync(200);
        Assert.Equal("degraded", ready.Text("status"));
        Assert.Contains("does not respond", ready["checks"]!.Text("database"), StringComparison.Ordinal);

        connection.Mend();
        await Eventually.TrueAsync(
            async () => (await boss.GetJsonAsync("/health/ready")).Text("status") == "ok",
            () => "The service did not find the database again."
        );
        Assert.Equal(2, await category.FitAsync());
        await boss.DeleteAsync($"/v1/keys/{id}");
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(401, (int)(await boss.GetAsync("/v1/categories")).StatusCode);
    }
}
