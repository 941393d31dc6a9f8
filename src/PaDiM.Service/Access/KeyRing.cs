using System.Collections.Frozen;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>
/// Caches all keys in memory and reads them again once they are a second old. Changes by this process apply at once;
/// changes by other processes or the command line apply within that second.
/// </summary>
internal sealed partial class KeyRing(
    IDbContextFactory<PadimDbContext> contexts,
    TimeProvider time,
    ILogger<KeyRing> logger
) : IDisposable
{
    /// <summary>The accuracy of a key's last use: its row is written no more often than this.</summary>
    public static readonly TimeSpan UseGrain = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);
    private readonly SemaphoreSlim _reading = new(1, 1);
    private volatile Snapshot? _latest;
    private int _changes;

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
        var now = time.GetUtcNow().UtcDateTime;
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

    /// <summary>Makes the next access read the keys from the database.</summary>
    public void Invalidate() => Interlocked.Increment(ref _changes);

    public void Dispose() => _reading.Dispose();

    private async ValueTask<Snapshot> ReadAsync(CancellationToken cancellationToken)
    {
        if (FindFresh() is { } fresh)
            return fresh;
        // One reader at a time; concurrent requests wait for its result.
        await _reading.WaitAsync(cancellationToken);
        try
        {
            return FindFresh() ?? await ReadTableAsync(cancellationToken);
        }
        finally
        {
            _reading.Release();
        }
    }

    private Snapshot? FindFresh() =>
        _latest is { } snapshot
        && snapshot.Changes == Volatile.Read(ref _changes)
        && time.GetElapsedTime(snapshot.ReadAt) < Freshness
            ? snapshot
            : null;

    private async Task<Snapshot> ReadTableAsync(CancellationToken cancellationToken)
    {
        var seen = Volatile.Read(ref _changes);
        var readAt = time.GetTimestamp();
        try
        {
            await using var db = await contexts.CreateDbContextAsync(cancellationToken);
            var keys = await db.ApiKeys.AsNoTracking().ToListAsync(cancellationToken);
            return _latest = new Snapshot(keys.ToFrozenDictionary(key => key.Id, StringComparer.Ordinal), seen, readAt);
        }
        catch (DbException e) when (_latest is { } known)
        {
            // While the database does not answer, keys cannot be revoked in it either, so the production line continues
            // with the cached keys.
            LogUnread(e);
            // Set to now, so that requests that waited for this failure do not wait for another one.
            return _latest = known with { ReadAt = time.GetTimestamp(), Changes = seen };
        }
    }

    private async Task RecordUseAsync(string id, DateTime now)
    {
        try
        {
            await using var db = await contexts.CreateDbContextAsync();
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

    /// <param name="Keys">Keys by identifier.</param>
    /// <param name="Changes">Number of changes by this process at the time of reading.</param>
    /// <param name="ReadAt">Timestamp of reading.</param>
    private sealed record Snapshot(FrozenDictionary<string, ApiKey> Keys, int Changes, long ReadAt);
}
