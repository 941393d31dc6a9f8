using System.Diagnostics;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using PaDiM.Engine.Faults;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Jobs;

/// <summary>
/// The job queue, a table. A worker claims a job for the length of a lease and renews the lease while it works
/// (<see cref="IJobLeases"/>). Every claim takes a new fence number, and every write names the number of its claim: a
/// worker that was wrongly taken for dead can change nothing when it continues.
/// </summary>
internal sealed class JobStore(
    IDbContextFactory<PadimDbContext> contexts,
    JobSignal signal,
    IOptions<JobOptions> options,
    TimeProvider time
)
{
    private long _refusals;

    /// <summary>Gets the number of jobs refused because the queue was full, since the start.</summary>
    public long Refusals => Interlocked.Read(ref _refusals);

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    /// <summary>Finds the job that a key was used for, if any.</summary>
    public async Task<Outcome<Job>?> FindAsync(
        JobKind kind,
        string category,
        string request,
        string idempotencyKey,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var found = await db
            .Jobs.AsNoTracking()
            .SingleOrDefaultAsync(j => j.Category == category && j.IdempotencyKey == idempotencyKey, cancellationToken);
        return found is null ? default(Outcome<Job>?) : CheckRequest(found, kind, request);
    }

    /// <summary>Enqueues a job; the same key with the same request gives the same job.</summary>
    public async Task<Outcome<Job>> EnqueueAsync(
        JobKind kind,
        string category,
        string request,
        string? idempotencyKey,
        CancellationToken cancellationToken,
        JobEstimate? estimate = null
    )
    {
        if (
            idempotencyKey is not null
            && await FindAsync(kind, category, request, idempotencyKey, cancellationToken) is { } earlier
        )
            return earlier;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (
            await db.Jobs.CountAsync(j => j.State == JobState.Queued, cancellationToken)
            >= options.Value.JobQueueCapacity
        )
        {
            Interlocked.Increment(ref _refusals);
            return Problems.QueueFull("jobs are waiting");
        }
        var job = new Job
        {
            Id = Guid.CreateVersion7(time.GetUtcNow()).ToString("n"),
            Kind = kind,
            Category = category,
            Request = request,
            IdempotencyKey = idempotencyKey,
            CreatedAt = Now,
            Estimate = estimate is null ? null : JsonSerializer.Serialize(estimate),
        };
        db.Add(job);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException) when (idempotencyKey is not null)
        {
            if (await FindAsync(kind, category, request, idempotencyKey, cancellationToken) is { } other)
                return other;
            throw;
        }
        Activity.Current?.SetTag("padim.job.id", job.Id);
        signal.Set();
        return job;
    }

    private static Outcome<Job> CheckRequest(Job found, JobKind kind, string request) =>
        found.Request == request && found.Kind == kind ? found : Problems.IdempotencyConflict();

    public async Task<Outcome<Job>> GetAsync(string id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var job = await db.Jobs.AsNoTracking().SingleOrDefaultAsync(j => j.Id == id, cancellationToken);
        return job is null ? Problems.JobNotFound(id) : job;
    }

    /// <summary>Lists jobs, newest first.</summary>
    /// <param name="only">The categories that the caller may see; null for all.</param>
    /// <param name="category">The category; null for all.</param>
    /// <param name="state">The state; null for all.</param>
    /// <param name="page">The page.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<Page<JobResponse>> ListAsync(
        IReadOnlyList<string>? only,
        string? category,
        JobState? state,
        PageRequest page,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var visible = only is null ? db.Jobs : db.Jobs.Where(j => only.Contains(j.Category));
        var rows = await visible
            .AsNoTracking()
            .Where(j =>
                (category == null || j.Category == category)
                && (state == null || j.State == state)
                && (page.After == "" || string.Compare(j.Id, page.After) < 0)
            )
            .OrderByDescending(j => j.Id)
            .Take(page.Limit + 1)
            .ToListAsync(cancellationToken);
        return page.Cut(rows, j => j.Id, JobResponse.From);
    }

    /// <summary>Cancels a queued job at once; asks the worker of a running job to stop.</summary>
    public async Task<Outcome<Job>> CancelAsync(string id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        for (; ; )
        {
            var now = Now;
            var changed = await db
                .Jobs.Where(j => j.Id == id && j.State == JobState.Queued)
                .ExecuteUpdateAsync(
                    set =>
                        set.SetProperty(j => j.State, JobState.Cancelled)
                            .SetProperty(j => j.FinishedAt, now)
                            .SetProperty(j => j.Fence, j => j.Fence + 1),
                    cancellationToken
                );
            if (changed == 0)
                changed = await db
                    .Jobs.Where(j => j.Id == id && j.State == JobState.Running)
                    .ExecuteUpdateAsync(set => set.SetProperty(j => j.CancelRequested, true), cancellationToken);
            var job = await db.Jobs.AsNoTracking().SingleOrDefaultAsync(j => j.Id == id, cancellationToken);
            if (job is null)
                return Problems.JobNotFound(id);
            if (changed > 0)
                return job;
            if (job.IsFinal)
                return Problems.JobFinished(job.State.ToString().ToLowerInvariant());
            // Its worker returned it to the queue between the two queries.
        }
    }

    /// <summary>Makes a job final; nothing happens when the lease is lost.</summary>
    public async Task FinishAsync(JobLease lease, JobState state, UserFault? fault, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await lease.FinishAsync(db, state, fault, Now, cancellationToken);
    }

    /// <summary>
    /// Returns a job to the queue, where another worker finds it at once. Cancels it instead when that was requested.
    /// </summary>
    public async Task ReleaseAsync(JobLease lease, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var now = Now;
        await lease
            .FindHeld(db)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(j => j.State, j => j.CancelRequested ? JobState.Cancelled : JobState.Queued)
                        .SetProperty(j => j.FinishedAt, j => j.CancelRequested ? now : null)
                        .SetProperty(j => j.LeaseExpiresAt, (DateTime?)null)
                        .SetProperty(j => j.SecondsLeft, (double?)null)
                        .SetProperty(j => j.Attempts, j => j.Attempts - 1),
                cancellationToken
            );
    }
}
