using PaDiM.Service.Data;

namespace PaDiM.Service.Jobs;

/// <summary>
/// Does the work of one kind of job. A handler that succeeds makes the job final itself, in one transaction with what
/// it publishes.
/// </summary>
/// <param name="context">The job.</param>
/// <param name="cancellationToken">Cancelled when the job is cancelled, when its lease is lost, and when the process
/// stops.</param>
/// <exception cref="Engine.Faults.UserFaultException">The job fails for a reason that the user can do something
/// about.</exception>
internal delegate Task JobHandler(JobContext context, CancellationToken cancellationToken);

/// <summary>Represents a claimed job to its handler.</summary>
internal sealed class JobContext(Job job, JobTrace trace, TimeProvider time)
{
    /// <summary>
    /// The time over which the pace is measured. What an earlier attempt has kept is done at once and says nothing
    /// about the rest.
    /// </summary>
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly Queue<(long At, double Share)> _reports = new();
    private volatile JobProgress _current = new(job.Stage, job.Progress, null);

    public Job Job { get; } = job;

    public JobLease Lease { get; } = new(job.Id, job.Fence);

    public JobProgress Progress => _current;

    /// <summary>Ends a handler whose result was not stored.</summary>
    /// <exception cref="OperationCanceledException">It was not.</exception>
    public static void ThrowIfNotStored(bool isStored)
    {
        if (!isStored)
            throw new OperationCanceledException(
                "The job changed hands or was cancelled before its result could be stored."
            );
    }

    /// <summary>
    /// Reports progress; the next heartbeat stores it. Called by one thread at a time.
    /// </summary>
    public void Report(string stage, double share)
    {
        trace.StartStage(stage);
        var now = time.GetTimestamp();
        while (_reports.Count > 1 && time.GetElapsedTime(_reports.Peek().At, now) > Window)
            _reports.Dequeue();
        _reports.Enqueue((now, share));
        var (since, began) = _reports.Peek();
        _current = new JobProgress(
            stage,
            share,
            share > began ? time.GetElapsedTime(since, now).TotalSeconds * (1 - share) / (share - began) : null
        );
    }
}

/// <summary>Represents the progress of a job.</summary>
/// <param name="Stage">The current stage.</param>
/// <param name="Share">The share done, 0 to 1.</param>
/// <param name="SecondsLeft">The time for the rest at the present pace; null before it is known.</param>
internal sealed record JobProgress(string? Stage, double Share, double? SecondsLeft);
