using Microsoft.EntityFrameworkCore;
using PaDiM.Engine.Faults;
using PaDiM.Service.Data;

namespace PaDiM.Service.Jobs;

/// <summary>Represents the right to change a job, until another worker takes a higher fence number.</summary>
internal readonly record struct JobLease(string JobId, long Fence)
{
    /// <summary>Gets the job; nothing when the lease is lost.</summary>
    public IQueryable<Job> FindHeld(PadimDbContext db)
    {
        var (id, fence) = this;
        return db.Jobs.Where(j => j.Id == id && j.Fence == fence && j.State == JobState.Running);
    }

    /// <summary>
    /// Locks the job for the transaction that stores its result. Null when the lease is lost or the job is to be cancelled:
    /// then nothing may be stored.
    /// </summary>
    public Task<Job?> LockAsync(PadimDbContext db, CancellationToken cancellationToken) =>
        FindHeld(db).Where(j => !j.CancelRequested).ForUpdate().SingleOrDefaultAsync(cancellationToken);

    /// <summary>Makes the job final; nothing happens when the lease is lost.</summary>
    public Task FinishAsync(
        PadimDbContext db,
        JobState state,
        UserFault? fault,
        DateTime now,
        CancellationToken cancellationToken
    ) =>
        FindHeld(db)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(j => j.State, state)
                        .SetProperty(j => j.FinishedAt, now)
                        .SetProperty(j => j.LeaseExpiresAt, (DateTime?)null)
                        .SetProperty(j => j.SecondsLeft, (double?)null)
                        .SetProperty(j => j.ErrorCode, fault == null ? null : fault.Code)
                        .SetProperty(j => j.ErrorDetail, fault == null ? null : fault.Detail),
                cancellationToken
            );
}

/// <summary>The state of a lease at its renewal.</summary>
internal enum LeaseState
{
    Held,
    CancelRequested,
    Lost,
}
