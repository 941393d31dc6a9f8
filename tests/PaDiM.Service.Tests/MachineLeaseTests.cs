using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PaDiM.Engine.Machine;
using PaDiM.Service.Data;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>A SQLite database belongs to the processes of one machine.</summary>
public sealed class MachineLeaseTests : IDisposable
{
    private static readonly MachineIdentity Here = new("boot-1", "press-1"),
        There = new("boot-2", "press-2");

    private readonly TempDirectory _data = new();
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task The_processes_of_one_machine_share_it_and_another_machine_is_refused_while_one_lives()
    {
        using var first = await StartAsync(Here);
        using var second = await StartAsync(Here);
        var message = await RefuseAsync(There);
        Assert.Contains("press-1", message, StringComparison.Ordinal);
        Assert.Contains("PostgreSQL", message, StringComparison.Ordinal);

        // One of the two goes on.
        await first.StopAsync(default);
        await PassAsync(MachineLease.Beat, Task.Delay(Timeout.Infinite));
        await RefuseAsync(There);
    }

    [Fact]
    public async Task Another_machine_takes_it_at_once_after_a_stop_and_after_a_while_when_the_machine_died()
    {
        using (var stopped = await StartAsync(Here))
            await stopped.StopAsync(default);
        // Not started: it never counts, as after a power cut.
        var dead = CreateLease(There, out _);
        await dead.TakeAsync(default);

        var starting = StartAsync(Here);
        await PassAsync(MachineLease.Watch + MachineLease.Beat, starting);
        using var started = await starting;
    }

    [Fact]
    public async Task A_process_that_was_thought_dead_stops_when_it_finds_another_machine()
    {
        var lease = CreateLease(Here, out var lifetime);
        await lease.TakeAsync(default);
        var taking = CreateLease(There, out _).TakeAsync(default);
        await PassAsync(MachineLease.Watch + MachineLease.Beat, taking);
        await taking;
        await lease.StartAsync(default);
        await PassAsync(10 * MachineLease.Beat, lifetime.Stopped);
        Assert.True(lifetime.Stopped.IsCompletedSuccessfully);
        await lease.StopAsync(default);
    }

    /// <summary>Gets what a process of a machine is told that must not start.</summary>
    private async Task<string> RefuseAsync(MachineIdentity machine)
    {
        var starting = StartAsync(machine);
        await PassAsync(MachineLease.Watch, starting);
        return (await Assert.ThrowsAsync<InvalidDataException>(() => starting)).Message;
    }

    /// <summary>Lets time pass in steps, until something is done.</summary>
    private async Task PassAsync(TimeSpan time, Task done)
    {
        for (var passed = TimeSpan.Zero; passed <= time && !done.IsCompleted; passed += TimeSpan.FromSeconds(0.5))
        {
            _time.Advance(TimeSpan.FromSeconds(0.5));
            await Task.WhenAny(done, Task.Delay(20));
        }
    }

    private async Task<MachineLease> StartAsync(MachineIdentity machine)
    {
        var lease = CreateLease(machine, out _);
        await lease.TakeAsync(default);
        await lease.StartAsync(default);
        return lease;
    }

    private MachineLease CreateLease(MachineIdentity machine, out Lifetime lifetime)
    {
        var directory = new DataDirectory(_data.Path);
        lifetime = new Lifetime();
        return new MachineLease(
            new SqliteEngine(directory, new ServiceCollection().BuildServiceProvider(), _time),
            directory,
            machine,
            lifetime,
            _time,
            NullLogger<MachineLease>.Instance
        );
    }

    private sealed class Lifetime : IHostApplicationLifetime
    {
        private readonly TaskCompletionSource _stopped = new();

        public Task Stopped => _stopped.Task;

        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => default;

        public CancellationToken ApplicationStopped => default;

        public void StopApplication() => _stopped.TrySetResult();
    }
}
