using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;

namespace PaDiM.Service.Inspections;

/// <summary>
/// The time that ages of inspections are counted to. It follows the clock, but at most ten times as fast as time passes:
/// a clock that jumps forwards for an hour costs the rows of ten hours, and not everything that is kept. It goes back with
/// the clock at once, because that deletes nothing.
/// </summary>
internal sealed partial class RetentionTime(
    IDatabaseEngine engine,
    LedgerMetrics metrics,
    TimeProvider time,
    ILogger<RetentionTime> logger
)
{
    /// <summary>After a weekend without power, six hours pass until the last old row is gone.</summary>
    private const int CatchUp = 10;

    /// <summary>What is behind by less is a restart, or a pause of the machine.</summary>
    private static readonly TimeSpan Unusual = TimeSpan.FromDays(1);

    private long _advancedAt = time.GetTimestamp();
    private bool _hasTold;

    /// <summary>Follows the clock, and stores how far.</summary>
    public async Task<DateTime> AdvanceAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var passed = time.GetElapsedTime(_advancedAt);
        _advancedAt = time.GetTimestamp();
        await using var db = engine.CreateLedger();
        var clock = await db.RetentionClocks.SingleOrDefaultAsync(cancellationToken);
        var reached = clock?.At ?? await FindNewestAsync(db, cancellationToken) ?? now;
        var farthest = reached + CatchUp * passed;
        var at = farthest < now ? farthest : now;
        if (clock is null)
            db.Add(new RetentionClock { At = at });
        else
            clock.At = at;
        await db.SaveChangesAsync(cancellationToken);
        metrics.RecordBehind(now - at);
        if (now - at > Unusual)
        {
            if (!_hasTold)
                LogBehind(at, now);
            _hasTold = true;
        }
        else
            _hasTold = false;
        return at;
    }

    /// <summary>Gets when the newest inspection was made; null without any.</summary>
    private static async Task<DateTime?> FindNewestAsync(LedgerDbContext db, CancellationToken cancellationToken) =>
        await db.Inspections.MaxAsync(row => (long?)row.Key, cancellationToken) is { } key
            ? InspectionKey.GetTime(key)
            : null;

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Retention has reached {At:u} and the clock says {Now:u}: either the service was off, or the clock is "
            + "wrong. Old inspections are deleted ten times as fast as time passes until both agree"
    )]
    private partial void LogBehind(DateTime at, DateTime now);
}
