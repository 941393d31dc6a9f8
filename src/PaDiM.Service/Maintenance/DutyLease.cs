using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;

namespace PaDiM.Service.Maintenance;

/// <summary>The right to do a duty, renewed until it is disposed.</summary>
internal sealed class DutyLease : IAsyncDisposable
{
    /// <summary>How long a replica that gives no sign of life keeps a duty.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Beat = TimeSpan.FromMinutes(1);

    private readonly IDatabaseEngine? _engine;
    private readonly string _name;
    private readonly string _holder;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _beating;
    private bool _isDisposed;

    /// <param name="engine">The database; null where no other process could do the duty.</param>
    /// <param name="name">The duty.</param>
    /// <param name="holder">Who does it.</param>
    /// <param name="time">The clock.</param>
    public DutyLease(IDatabaseEngine? engine, string name, string holder, TimeProvider time)
    {
        (_engine, _name, _holder, _time) = (engine, name, holder, time);
        _beating = engine is null ? Task.CompletedTask : BeatAsync();
    }

    /// <summary>Gets the token that is cancelled when another replica has taken over.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Records that the duty is done.</summary>
    /// <param name="report">What came of it, as JSON; null for nothing to keep.</param>
    public async Task CompleteAsync(string? report)
    {
        if (_engine is null)
            return;
        var now = _time.GetUtcNow().UtcDateTime;
        await using var db = _engine.CreateDbContext();
        await FindHeld(db)
            .ExecuteUpdateAsync(set =>
                set.SetProperty(duty => duty.DoneAt, now).SetProperty(duty => duty.Report, report)
            );
    }

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        await _ended.CancelAsync();
        await _beating;
        if (_engine is not null)
            await ReleaseAsync(_engine);
        _lost.Dispose();
        _ended.Dispose();
    }

    private async Task ReleaseAsync(IDatabaseEngine engine)
    {
        try
        {
            await using var db = engine.CreateDbContext();
            await FindHeld(db)
                .ExecuteUpdateAsync(set =>
                    set.SetProperty(duty => duty.HeldBy, (string?)null)
                        .SetProperty(duty => duty.HeldUntil, (DateTime?)null)
                );
        }
        catch (Exception)
        {
            // The database is away: the lease ends by itself.
        }
    }

    private async Task BeatAsync()
    {
        using var timer = new PeriodicTimer(Beat, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_ended.Token))
                if (!await TryRenewAsync())
                {
                    await _lost.CancelAsync();
                    return;
                }
        }
        catch (OperationCanceledException)
        {
            // The duty is done.
        }
    }

    /// <summary>Returns false when another replica has the duty. While the database is away, none can take it.</summary>
    private async Task<bool> TryRenewAsync()
    {
        try
        {
            var until = _time.GetUtcNow().UtcDateTime + Length;
            await using var db = _engine!.CreateDbContext();
            return await FindHeld(db)
                    .ExecuteUpdateAsync(set => set.SetProperty(duty => duty.HeldUntil, until), _ended.Token) > 0;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return true;
        }
    }

    private IQueryable<Duty> FindHeld(PadimDbContext db) =>
        db.Set<Duty>().Where(duty => duty.Name == _name && duty.HeldBy == _holder);
}
