using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;

namespace PaDiM.Service.Maintenance;

/// <summary>
/// Sees to it that work on what all replicas share is done by one of them at a time, and by none that another has just
/// done. With SQLite there is one machine, and every process does its own.
/// </summary>
/// <remarks>
/// A lease in a row, because nothing may live in a session of PostgreSQL, and renewed by the clocks of the replicas: if
/// one is wrong by minutes, two of them do the same work, which harms nothing.
/// </remarks>
internal sealed class Duties(IDatabaseEngine engine, TimeProvider time)
{
    private readonly string _me = $"{Environment.MachineName}/{Environment.ProcessId}/{Guid.NewGuid():n}";

    /// <summary>Gets whether there are other replicas to share the work with.</summary>
    public bool AreShared => engine is PostgresEngine;

    /// <summary>Begins work, unless another replica is at it or has done it a short time ago.</summary>
    /// <param name="name">The work.</param>
    /// <param name="interval">The time from one end to the next start.</param>
    /// <param name="cancellationToken">Cancels the queries.</param>
    /// <returns>The lease; null if there is nothing to do.</returns>
    public async Task<DutyLease?> TryBeginAsync(string name, TimeSpan interval, CancellationToken cancellationToken)
    {
        if (!AreShared)
            return new DutyLease(null, name, _me, time);
        await using var db = engine.CreateDbContext();
        await db.Database.ExecuteSqlAsync(
            $"""INSERT INTO "Duties" ("Name") VALUES ({name}) ON CONFLICT DO NOTHING""",
            cancellationToken
        );
        var now = time.GetUtcNow().UtcDateTime;
        var (due, until) = (now - interval, now + DutyLease.Length);
        // Times that no clock of now could have set are those of a clock that was wrong and has been set back.
        var (wrongEnd, wrongStart) = (until + DutyLease.Length, now + DutyLease.Length);
        var taken = await db.Set<Duty>()
            .Where(duty =>
                duty.Name == name
                && (duty.HeldUntil == null || duty.HeldUntil < now || duty.HeldUntil > wrongEnd)
                && (duty.DoneAt == null || duty.DoneAt <= due || duty.DoneAt > wrongStart)
            )
            .ExecuteUpdateAsync(
                set => set.SetProperty(duty => duty.HeldBy, _me).SetProperty(duty => duty.HeldUntil, until),
                cancellationToken
            );
        return taken == 0 ? null : new DutyLease(engine, name, _me, time);
    }

    /// <summary>Gets the state of a duty; null where it was never done, or replicas share none.</summary>
    public async Task<Duty?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (!AreShared)
            return null;
        await using var db = engine.CreateDbContext();
        return await db.Set<Duty>().AsNoTracking().SingleOrDefaultAsync(duty => duty.Name == name, cancellationToken);
    }
}
