using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using PaDiM.Service.Data;

namespace PaDiM.Service.Jobs;

/// <summary>Leases in SQLite: every process watches the rows of the others (<see cref="JobWatch"/>).</summary>
internal sealed class WatchedLeases(
    IDbContextFactory<PadimDbContext> contexts,
    IOptions<JobOptions> options,
    TimeProvider time
) : IJobLeases
{
    private readonly JobWatch _watch = new(TimeSpan.FromSeconds(options.Value.JobLeaseSeconds), time);

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    private DateTime LeaseEnd => Now.AddSeconds(options.Value.JobLeaseSeconds);

    public async Task<Job?> ClaimAsync(string worker, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        for (; ; )
        {
            var now = Now;
            var running = await db
                .Jobs.Where(j => j.State == JobState.Running)
                .Select(j => new
                {
                    j.Id,
                    j.Fence,
                    j.LeaseExpiresAt,
                })
                .ToListAsync(cancellationToken);
            var dead = _watch.FindDead(running.Select(j => (j.Id, j.Fence, j.LeaseExpiresAt)));
            var job = await db
                .Jobs.AsNoTracking()
                .Where(j => j.State == JobState.Queued || (j.State == JobState.Running && dead.Contains(j.Id)))
                .Where(j =>
                    !db.Jobs.Any(other =>
                        other.Category == j.Category
                        && other.Id != j.Id
                        && other.State == JobState.Running
                        && !dead.Contains(other.Id)
                    )
                )
                .OrderBy(j => j.Id)
                .FirstOrDefaultAsync(cancellationToken);
            if (job is null)
                return null;
            if (job.CancelRequested || job.Attempts >= IJobLeases.MaxAttempts)
            {
                await new JobLease(job.Id, job.Fence).FinishAsync(
                    db,
                    job.CancelRequested ? JobState.Cancelled : JobState.Failed,
                    job.CancelRequested ? null : IJobLeases.CreateAbandoned(job.Attempts),
                    Now,
                    cancellationToken
                );
                continue;
            }
            var end = LeaseEnd;
            // Its worker may have renewed the lease just now: then the row has another one.
            var claimed = await db
                .Jobs.Where(j =>
                    j.Id == job.Id
                    && j.Fence == job.Fence
                    && j.LeaseExpiresAt == job.LeaseExpiresAt
                    && (j.State == JobState.Queued || j.State == JobState.Running)
                )
                .Where(j =>
                    !db.Jobs.Any(other =>
                        other.Category == j.Category
                        && other.Id != j.Id
                        && other.State == JobState.Running
                        && !dead.Contains(other.Id)
                    )
                )
                .ExecuteUpdateAsync(
                    set =>
                        set.SetProperty(j => j.State, JobState.Running)
                            .SetProperty(j => j.Fence, j => j.Fence + 1)
                            .SetProperty(j => j.Attempts, j => j.Attempts + 1)
                            .SetProperty(j => j.StartedAt, j => j.StartedAt ?? now)
                            .SetProperty(j => j.LeasedBy, worker)
                            .SetProperty(j => j.LeaseExpiresAt, end),
                    cancellationToken
                );
            if (claimed == 0)
                continue;
            var mine = await db
                .Jobs.AsNoTracking()
                .SingleOrDefaultAsync(j => j.Id == job.Id && j.Fence == job.Fence + 1, cancellationToken);
            if (mine is not null)
                _watch.Record(mine);
            return mine;
        }
    }

    public async Task<LeaseState> RenewAsync(JobLease lease, JobProgress progress, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var end = LeaseEnd;
        var renewed = await lease
            .FindHeld(db)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(j => j.LeaseExpiresAt, end)
                        .SetProperty(j => j.Stage, progress.Stage)
                        .SetProperty(j => j.Progress, progress.Share)
                        .SetProperty(j => j.SecondsLeft, progress.SecondsLeft),
                cancellationToken
            );
        if (renewed == 0)
            return LeaseState.Lost;
        return await db.Jobs.AnyAsync(j => j.Id == lease.JobId && j.CancelRequested, cancellationToken)
            ? LeaseState.CancelRequested
            : LeaseState.Held;
    }
}
