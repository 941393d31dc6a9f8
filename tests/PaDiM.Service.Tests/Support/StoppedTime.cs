using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace PaDiM.Service.Tests.Support;

/// <summary>A clock that only tests advance, and that tells them when something starts to wait for it.</summary>
internal sealed class StoppedTime : FakeTimeProvider
{
    private readonly Channel<ITimer> _timers = Channel.CreateUnbounded<ITimer>();

    /// <summary>Gets how far the clock advances whenever it is read, so that no two readings are the same.</summary>
    public TimeSpan Step { get; init; }

    /// <summary>Waits until there is one more timer, and advances the clock.</summary>
    public async Task AdvanceOnceAwaitedAsync(TimeSpan by)
    {
        await AwaitedAsync();
        Advance(by);
    }

    /// <summary>Waits until there is one more timer.</summary>
    public Task AwaitedAsync() => _timers.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

    public override long GetTimestamp()
    {
        if (Step > TimeSpan.Zero)
            Advance(Step);
        return base.GetTimestamp();
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        Assert.True(_timers.Writer.TryWrite(timer));
        return timer;
    }
}
