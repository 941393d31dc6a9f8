using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using PaDiM.Service.Data;
using PaDiM.Service.Maintenance;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>What replicas share is looked after by one of them at a time.</summary>
public sealed class DutyTests : IAsyncLifetime
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private ServiceProvider _services = null!;
    private PostgresEngine _engine = null!;

    public async ValueTask InitializeAsync()
    {
        var server = await PostgresServer.GetAsync();
        var options = new DataOptions
        {
            Database = new DatabaseOptions
            {
                Provider = DatabaseProvider.PostgreSql,
                ConnectionString = await server.CreateAsync(),
            },
        };
        _services = new ServiceCollection().BuildServiceProvider();
        _engine = new PostgresEngine(
            Options.Create(options),
            NullLoggerFactory.Instance,
            _services,
            TimeProvider.System
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (_engine is not null)
            await _engine.DisposeAsync();
        if (_services is not null)
            await _services.DisposeAsync();
    }

    [Fact]
    public async Task One_replica_at_a_time_and_not_again_before_it_is_due()
    {
        var replicas = Enumerable.Range(0, 4).Select(_ => Create()).ToArray();
        var leases = await Task.WhenAll(replicas.Select(replica => Task.Run(() => BeginAsync(replica))));
        var lease = Assert.Single(leases.OfType<DutyLease>());
        await lease.CompleteAsync("{}");
        Assert.Null(await BeginAsync(replicas[0], TimeSpan.Zero));
        await lease.DisposeAsync();
        Assert.Null(await BeginAsync(replicas[1]));
        Assert.Equal("{}", (await replicas[2].FindAsync("duty", default))!.Report);

        _time.Advance(Hour);
        await using var next = await BeginAsync(replicas[3]);
        Assert.NotNull(next);
        // Another duty is another's.
        await using var other = await replicas[0].TryBeginAsync("other", Hour, default);
        Assert.NotNull(other);
    }

    [Fact]
    public async Task What_a_wrong_clock_has_claimed_or_done_is_free_when_it_is_right_again()
    {
        var wrong = new FakeTimeProvider(_time.GetUtcNow().AddYears(1));
        await using (var dead = await new Duties(_engine, wrong).TryBeginAsync("held", Hour, default))
            Assert.NotNull(dead);
        await using (var done = await new Duties(_engine, wrong).TryBeginAsync("done", Hour, default))
            await done!.CompleteAsync("{}");
        await using (var db = _engine.CreateDbContext())
            await db.Set<Duty>()
                .Where(duty => duty.Name == "held")
                .ExecuteUpdateAsync(set =>
                    set.SetProperty(duty => duty.HeldBy, "dead")
                        .SetProperty(duty => duty.HeldUntil, wrong.GetUtcNow().UtcDateTime)
                );
        foreach (var name in new[] { "held", "done" })
        {
            await using var taken = await Create().TryBeginAsync(name, Hour, default);
            Assert.NotNull(taken);
        }
    }

    [Fact]
    public async Task What_a_dead_replica_left_is_taken_over_and_it_hears_of_it_if_it_was_only_slow()
    {
        var (slow, next) = (new FakeTimeProvider(_time.GetUtcNow()), Create());
        await using var lost = await BeginAsync(new Duties(_engine, slow));
        Assert.NotNull(lost);
        _time.Advance(DutyLease.Length - TimeSpan.FromSeconds(1));
        Assert.Null(await BeginAsync(next, TimeSpan.Zero));
        _time.Advance(TimeSpan.FromSeconds(2));
        await using var taken = await BeginAsync(next, TimeSpan.Zero);
        Assert.NotNull(taken);
        slow.Advance(TimeSpan.FromMinutes(2));
        await Eventually.TrueAsync(
            () => Task.FromResult(lost.Lost.IsCancellationRequested),
            () => "The slow replica goes on."
        );
        // It can neither say that the work is done nor let go of what is no longer its own.
        await lost.CompleteAsync("wrong");
        await lost.DisposeAsync();
        var duty = (await next.FindAsync("duty", default))!;
        Assert.Equal((null, null), (duty.Report, duty.DoneAt));
        Assert.NotNull(duty.HeldBy);
    }

    [Fact]
    public async Task A_scrub_of_one_replica_is_known_on_every_other()
    {
        using var data = new TempDirectory();
        var database = await PostgresServer.CreateOptionsAsync();
        (string, object)[] options = [("JobWorkers", 0), .. database];
        await using var first = await RunningService.StartAsync(data.Combine("a"), options);
        await using var second = await RunningService.StartAsync(data.Combine("b"), options);
        Assert.Null((await second.Http.GetJsonAsync("/v1/system/scrub"))["lastReport"]);
        await using (await second.Get<Duties>().TryBeginAsync("scrub", TimeSpan.Zero, default))
            Assert.True((await first.Http.GetJsonAsync("/v1/system/scrub"))["running"]!.GetValue<bool>());
        await (await first.Http.PostAsync("/v1/system/scrub", null)).JsonAsync(202);
        await Eventually.TrueAsync(
            async () => (await second.Http.GetJsonAsync("/v1/system/scrub"))["lastReport"] is not null,
            () => "The report is not known on the other replica."
        );
    }

    private Duties Create() => new(_engine, _time);

    private static Task<DutyLease?> BeginAsync(Duties replica, TimeSpan? interval = null) =>
        replica.TryBeginAsync("duty", interval ?? Hour, default);
}
