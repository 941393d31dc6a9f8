using System.Diagnostics;
using System.Net;
using System.Threading.RateLimiting;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using PaDiM.Service.Access;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>The limit of a key holds over all replicas, and no request waits for the database for it.</summary>
public sealed class SharedLimitTests : IAsyncLifetime
{
    private const string Caller = "line-1";
    private readonly List<Replica> _replicas = [];
    private readonly Stopwatch _elapsed = new();
    private Forwarder _connection = null!;
    private PooledDbContextFactory<PostgresDbContext> _contexts = null!;

    public async ValueTask InitializeAsync()
    {
        var server = await PostgresServer.GetAsync();
        _connection = new Forwarder(server.Port);
        _contexts = new PooledDbContextFactory<PostgresDbContext>(
            new DbContextOptionsBuilder<PostgresDbContext>()
                .UseNpgsql(_connection.Lead(await server.CreateAsync()) + ";Pooling=false")
                .Options
        );
        _elapsed.Start();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var replica in _replicas)
            await replica.DisposeAsync();
        _connection?.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(59)]
    [InlineData(600)]
    public async Task However_many_replicas_there_are_a_burst_gets_one_bucket(int perMinute)
    {
        var replicas = await StartAsync(3, perMinute);
        var took = await Task.WhenAll(replicas.Select(replica => Task.Run(() => replica.TakeAsync(perMinute))));
        // What the database refilled while the test ran comes on top, and what lies on a replica is missing.
        Assert.InRange(took.Sum(), perMinute - 2 * (perMinute / 30), perMinute + Refill(perMinute));
        var lease = await replicas[0].Limiter.AcquireAsync();
        Assert.False(lease.IsAcquired);
        Assert.True(lease.TryGetMetadata(MetadataName.RetryAfter, out var wait));
        Assert.InRange(wait, TimeSpan.FromTicks(1), TimeSpan.FromMinutes(1));
    }

    /// <summary>Three replicas, two minutes, five times as many requests as are allowed.</summary>
    [Fact]
    public async Task Over_minutes_the_sum_of_all_replicas_is_the_limit()
    {
        const int perMinute = 600,
            seconds = 120;
        var replicas = await StartAsync(3, perMinute);
        var admitted = 0;
        for (var second = 0; second < seconds; second++)
        {
            foreach (var replica in replicas)
                admitted += await replica.TakeAsync(17);
            await PassAsync();
        }
        var allowed = perMinute + perMinute / 60 * seconds;
        Assert.InRange(admitted, 0.97 * allowed, allowed + Refill(perMinute));
    }

    [Fact]
    public async Task In_the_steady_state_every_request_finds_a_permit()
    {
        const int perMinute = 600;
        var replicas = await StartAsync(2, perMinute);
        foreach (var replica in replicas)
            Assert.True((await replica.Limiter.AcquireAsync()).IsAcquired);
        for (var second = 0; second < 30; second++)
        {
            foreach (var replica in replicas)
            {
                for (var k = 0; k < 5; k++)
                    Assert.True(replica.Limiter.AttemptAcquire().IsAcquired, $"A request waits in second {second}.");
                Assert.InRange(replica.Held, 1, perMinute / 30);
            }
            await PassAsync();
            foreach (var replica in replicas)
                await replica.IsFilledAsync(perMinute / 30);
        }
    }

    [Fact]
    public async Task Without_the_database_each_replica_limits_by_itself_and_shares_again_afterwards()
    {
        const int perMinute = 60;
        var replicas = await StartAsync(2, perMinute);
        Assert.True((await replicas[0].Limiter.AcquireAsync()).IsAcquired);
        _connection.Cut();
        foreach (var replica in replicas)
            Assert.InRange(await replica.TakeAsync(3 * perMinute), perMinute - 2, perMinute + 2);
        _connection.Mend();
        foreach (var replica in replicas)
        {
            await Eventually.TrueAsync(
                async () =>
                {
                    replica.Time.Advance(TimeSpan.FromSeconds(1));
                    return (await replica.Limiter.AcquireAsync()).IsAcquired && replica.Held > 0;
                },
                () => "The replica does not share again."
            );
        }
    }

    [Fact]
    public async Task Two_services_share_the_limit_of_a_key_and_each_key_has_its_own()
    {
        const int perMinute = 6;
        using var data = new TempDirectory();
        var database = await PostgresServer.CreateOptionsAsync();
        (string, object)[] options = [("RequestsPerMinute", perMinute), ("JobWorkers", 0), .. database];
        await using var first = await RunningService.StartAsync(data.Path, options);
        var (text, _) = await first.KeyAsync(AccessScope.Score);
        var (otherText, _) = await first.KeyAsync(AccessScope.Score, name: "other");
        await using var second = await RunningService.StartAsync(data.Path, options);
        using var here = first.With(text);
        using var there = second.With(text);
        var answers = new List<HttpResponseMessage>();
        for (var k = 0; k < 3 * perMinute; k++)
            answers.Add(await (k % 2 == 0 ? here : there).GetAsync("/v1/categories"));
        Assert.InRange(
            answers.Count(answer => answer.StatusCode == HttpStatusCode.OK),
            perMinute,
            perMinute + Refill(perMinute)
        );
        var refused = answers.Last(answer => answer.StatusCode != HttpStatusCode.OK);
        Assert.NotNull(refused.Headers.RetryAfter);
        await refused.ProblemAsync(429, "rate_limited");
        using var other = second.With(otherText);
        await (await other.GetAsync("/v1/categories")).JsonAsync(200);
    }

    /// <summary>What the buckets got while the test ran, by the clock of the database.</summary>
    private int Refill(int perMinute) => (int)Math.Ceiling((_elapsed.Elapsed.TotalSeconds + 1) * perMinute / 60);

    /// <summary>Lets a second pass, on every replica and in the database.</summary>
    private async Task PassAsync()
    {
        await using (var db = await _contexts.CreateDbContextAsync())
            await db.Database.ExecuteSqlAsync($"""UPDATE "RequestBuckets" SET "At" = "At" - interval '1 second'""");
        foreach (var replica in _replicas)
            replica.Time.Advance(TimeSpan.FromSeconds(1));
    }

    private async Task<Replica[]> StartAsync(int count, int perMinute)
    {
        for (var k = 0; k < count; k++)
        {
            var time = new FakeTimeProvider();
            var limits = new SharedLimits(
                new PermitStore(new Contexts(_contexts)),
                Options.Create(new AccessOptions { RequestsPerMinute = perMinute }),
                time,
                NullLogger<SharedLimits>.Instance
            );
            await limits.StartAsync(default);
            _replicas.Add(new Replica(limits, time));
        }
        return [.. _replicas];
    }

    private sealed class Contexts(PooledDbContextFactory<PostgresDbContext> contexts)
        : IDbContextFactory<PadimDbContext>
    {
        public PadimDbContext CreateDbContext() => contexts.CreateDbContext();
    }

    private sealed class Replica(SharedLimits limits, FakeTimeProvider time) : IAsyncDisposable
    {
        public FakeTimeProvider Time { get; } = time;

        public RateLimiter Limiter { get; } = limits.GetLimiter(Caller);

        public long Held => Limiter.GetStatistics()!.CurrentAvailablePermits;

        /// <summary>Sends so many requests, and gets how many pass.</summary>
        public async Task<int> TakeAsync(int count)
        {
            var taken = 0;
            for (var k = 0; k < count; k++)
                if ((await Limiter.AcquireAsync()).IsAcquired)
                    taken++;
            return taken;
        }

        public Task IsFilledAsync(int permits) =>
            Eventually.TrueAsync(() => Task.FromResult(Held == permits), () => $"{Held} permits are here.");

        public async ValueTask DisposeAsync()
        {
            await limits.StopAsync(default);
            limits.Dispose();
        }
    }
}
