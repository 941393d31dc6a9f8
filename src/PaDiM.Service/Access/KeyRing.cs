using System.Collections.Frozen;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Background;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>
/// Caches all keys in memory and reads them again every second while requests come, or once the database reports a change.
/// Changes by this process apply at once; changes by other processes or the command line apply within that second. The
/// reading goes on beside the requests, so that a busy database does not slow them down.
/// </summary>
internal sealed partial class KeyRing : BackgroundService
{
    /// <summary>The accuracy of a key's last use: its row is written no more often than this.</summary>
    public static readonly TimeSpan UseGrain = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1),
        // A reading that takes so long is waited for.
        Freshness = TimeSpan.FromSeconds(2),
        Patience = TimeSpan.FromSeconds(1);
    private readonly IDbContextFactory<PadimDbContext> _contexts;
    private readonly TimeProvider _time;
    private readonly ILogger<KeyRing> _logger;
    private readonly Lock _gate = new();
    private Task<Snapshot>? _reading;
    private volatile Snapshot? _latest;
    private volatile bool _isAway;
    private int _changes;
    private volatile bool _isUsed;
    private volatile bool _hasRested;

    public KeyRing(
        IDbContextFactory<PadimDbContext> contexts,
        ChangeFeed changes,
        TimeProvider time,
        ILogger<KeyRing> logger
    )
    {
        (_contexts, _time, _logger) = (contexts, time, logger);
        changes.Subscribe(SharedTable.ApiKeys, Invalidate);
    }

    /// <summary>Gets whether a key was ever created.</summary>
    public async ValueTask<bool> AnyAsync(CancellationToken cancellationToken) =>
        (await ReadAsync(cancellationToken)).Keys.Count > 0;

    /// <summary>Gets the caller that a key belongs to.</summary>
    public async ValueTask<Outcome<Caller>> VerifyAsync(string text, CancellationToken cancellationToken)
    {
        var keys = (await ReadAsync(cancellationToken)).Keys;
        if (
            KeyText.GetId(text) is not { } id
            || !keys.TryGetValue(id, out var key)
            || !KeyText.Matches(text, key.Sha256)
        )
            return Problems.UnknownKey();
        var now = _time.GetUtcNow().UtcDateTime;
        if (key.RevokedAt is not null)
            return Problems.KeyRevoked(id);
        if (key.ExpiresAt <= now)
            return Problems.KeyExpired(id);
        if (key.LastUsedAt is not { } used || now - used >= UseGrain)
        {
            key.LastUsedAt = now;
            // Scoring does not wait for this write.
            _ = Task.Run(() => RecordUseAsync(id, now), CancellationToken.None);
        }
        return new Caller(key.Name, key.Id, key.Scope, key.Categories);
    }

    /// <summary>Gets the stored hash of a key by its identifier; null if there is no such key.</summary>
    public async ValueTask<string?> FindHashAsync(string id, CancellationToken cancellationToken) =>
        (await ReadAsync(cancellationToken)).Keys.GetValueOrDefault(id)?.Sha256;

    /// <summary>Makes the next access read the keys from the database, which has just answered.</summary>
    public void Invalidate()
    {
        Interlocked.Increment(ref _changes);
        _isAway = false;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Periodically.RunAsync(
            Poll,
            time: _time,
            work: async _ =>
            {
                // After a second without requests, the next one reads the keys itself.
                _hasRested = !_isUsed;
                if (_hasRested)
                    return;
                _isUsed = false;
                await StartReading();
            },
            // Told where it is noticed.
            onError: _ => { },
            stoppingToken
        );

    private async ValueTask<Snapshot> ReadAsync(CancellationToken cancellationToken)
    {
        _isUsed = true;
        if (FindFresh() is { } fresh)
            return fresh;
        var wanted = Volatile.Read(ref _changes);
        for (; ; )
        {
            var read = await WaitAsync(StartReading(), cancellationToken);
            if (read.Changes >= wanted || _isAway)
                return read;
        }
    }

    /// <summary>
    /// Waits for the table. While the database does not answer, keys cannot be revoked in it either, so the production
    /// line continues with the cached keys: after the patience for the first request, and at once for the others.
    /// </summary>
    private async Task<Snapshot> WaitAsync(Task<Snapshot> reading, CancellationToken cancellationToken)
    {
        if (_latest is not { } known)
            return await reading.WaitAsync(cancellationToken);
        if (_isAway)
            return known;
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(reading, Task.Delay(Patience, _time, enough.Token));
        // On a busy machine the table may arrive just when the patience ends: then it counts.
        if (reading.IsCompleted)
        {
            await enough.CancelAsync();
            return await reading;
        }
        cancellationToken.ThrowIfCancellationRequested();
        if (!_isAway)
            LogUnanswered(Patience.TotalSeconds);
        _isAway = true;
        return known;
    }

    /// <summary>Starts to read the table, for all requests that wait for it; one reader at a time.</summary>
    private Task<Snapshot> StartReading()
    {
        lock (_gate)
            return _reading is { IsCompleted: false } running ? running : _reading = ReadTableAsync();
    }

    private Snapshot? FindFresh() =>
        _latest is { } snapshot
        && !_hasRested
        && snapshot.Changes == Volatile.Read(ref _changes)
        && _time.GetElapsedTime(snapshot.ReadAt) < Freshness
            ? snapshot
            : null;

    private async Task<Snapshot> ReadTableAsync()
    {
        var seen = Volatile.Read(ref _changes);
        var readAt = _time.GetTimestamp();
        try
        {
            await using var db = await _contexts.CreateQuickAsync(CancellationToken.None);
            var keys = await db.ApiKeys.AsNoTracking().ToListAsync();
            _isAway = _hasRested = false;
            return _latest = new Snapshot(keys.ToFrozenDictionary(key => key.Id, StringComparer.Ordinal), seen, readAt);
        }
        catch (Exception e) when (_latest is { } known)
        {
            if (!_isAway)
                LogUnread(e);
            _isAway = true;
            _hasRested = false;
            // Set to now, so that requests that waited for this failure do not wait for another one.
            return _latest = known with { ReadAt = _time.GetTimestamp(), Changes = seen };
        }
    }

    private async Task RecordUseAsync(string id, DateTime now)
    {
        try
        {
            await using var db = await _contexts.CreateDbContextAsync();
            await db
                .ApiKeys.Where(key => key.Id == id)
                .ExecuteUpdateAsync(set => set.SetProperty(key => key.LastUsedAt, now));
        }
        catch (Exception e)
        {
            LogUnnoted(e, id);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not record the last use of key {Id}")]
    private partial void LogUnnoted(Exception exception, string id);

    [LoggerMessage(Level = LogLevel.Error, Message = "Could not read the keys; using the cached ones")]
    private partial void LogUnread(Exception exception);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The database has not sent the keys for {Seconds} s; using the cached ones"
    )]
    private partial void LogUnanswered(double seconds);

    /// <param name="Keys">Keys by identifier.</param>
    /// <param name="Changes">Number of changes by this process at the time of reading.</param>
    /// <param name="ReadAt">Timestamp of reading.</param>
    private sealed record Snapshot(FrozenDictionary<string, ApiKey> Keys, int Changes, long ReadAt);
}
