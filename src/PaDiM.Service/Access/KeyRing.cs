using System.Collections.Frozen;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>
/// The keys as requests need them: all of them in memory, read again when they are a second old. What this process
/// changes counts at once, what another one or the command line changes within that second.
/// </summary>
internal sealed partial class KeyRing(
    IDbContextFactory<PadimDbContext> contexts,
    TimeProvider time,
    ILogger<KeyRing> logger
) : IDisposable
{
    /// <summary>How exactly the last use of a key is kept: a row is written no more often than this.</summary>
    public static readonly TimeSpan UseGrain = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);
    private readonly SemaphoreSlim _reading = new(1, 1);
    private volatile Snapshot? _latest;
    private int _changes;

    /// <summary>Whether there ever was a key.</summary>
    public async ValueTask<bool> AnyAsync(CancellationToken cancellationToken) =>
        (await ReadAsync(cancellationToken)).Keys.Count > 0;

    /// <summary>The caller behind the text of a key.</summary>
    public async ValueTask<Outcome<Caller>> VerifyAsync(string text, CancellationToken cancellationToken)
    {
        var keys = (await ReadAsync(cancellationToken)).Keys;
        if (
            KeyText.IdOf(text) is not { } id
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
            // A score does not wait until the database lets a note be written.
            _ = Task.Run(() => NoteUseAsync(id, now), CancellationToken.None);
        }
        return new Caller(key.Name, key.Id, key.Scope, key.Categories);
    }

    /// <summary>Makes the next look read the keys anew.</summary>
    public void Forget() => Interlocked.Increment(ref _changes);

    public void Dispose() => _reading.Dispose();

    private async ValueTask<Snapshot> ReadAsync(CancellationToken cancellationToken)
    {
        if (FindFresh() is { } fresh)
            return fresh;
        // One reader: whoever comes meanwhile waits for what it finds.
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
            // While the database does not answer nobody can revoke a key in it either, and the line goes on with the
            // keys that it had.
            LogUnread(e);
            // From now on: those who waited for the failure do not wait for the next one.
            return _latest = known with { ReadAt = time.GetTimestamp(), Changes = seen };
        }
    }

    private async Task NoteUseAsync(string id, DateTime now)
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "The last use of the key {Id} could not be noted")]
    private partial void LogUnnoted(Exception exception, string id);

    [LoggerMessage(Level = LogLevel.Error, Message = "Keys could not be read; those read before are used")]
    private partial void LogUnread(Exception exception);

    /// <param name="Keys">By identifier.</param>
    /// <param name="Changes">How many changes this process had made when they were read.</param>
    /// <param name="ReadAt">When that was.</param>
    private sealed record Snapshot(FrozenDictionary<string, ApiKey> Keys, int Changes, long ReadAt);
}
