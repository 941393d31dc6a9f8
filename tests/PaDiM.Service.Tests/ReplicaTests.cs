using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Jobs;
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
