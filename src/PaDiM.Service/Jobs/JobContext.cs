using PaDiM.Service.Data;

namespace PaDiM.Service.Jobs;

/// <summary>
/// Does the work of one kind of job. It makes the job final itself when it succeeds, in one transaction with what it
/// publishes.
/// </summary>
/// <param name="context">The job at hand.</param>
/// <param name="cancellationToken">Cancelled when the job is cancelled, its lease is lost, or the process
/// stops.</param>
internal delegate Task JobHandler(JobContext context, CancellationToken cancellationToken);

/// <summary>A claimed job as its handler sees it.</summary>
internal sealed class JobContext(Job job, JobTrace trace, TimeProvider time)
{
    /// <summary>
    /// The pace is that of the last while: what an earlier attempt has left behind goes by in no time, and says nothing
    /// about the rest.
    /// </summary>
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly Queue<(long At, double Share)> _told = new();
    private volatile JobProgress _current = new(job.Stage, job.Progress, null);

    public Job Job { get; } = job;

    public JobLease Lease { get; } = new(job.Id, job.Fence);

    public JobProgress Progress => _current;

    /// <summary>
    /// Tells how far the work has come; the next heartbeat passes it on. Called by one thread at a time.
    /// </summary>
    public void Report(string stage, double share)
    {
        trace.Enter(stage);
        var now = time.GetTimestamp();
        while (_told.Count > 1 && time.GetElapsedTime(_told.Peek().At, now) > Window)
            _told.Dequeue();
        _told.Enqueue((now, share));
        var (since, began) = _told.Peek();
        _current = new JobProgress(
            stage,
            share,
            share > began ? time.GetElapsedTime(since, now).TotalSeconds * (1 - share) / (share - began) : null
        );
    }
}

/// <summary>How far a job has come.</summary>
/// <param name="Stage">What is being done.</param>
/// <param name="Share">Share done, 0 to 1.</param>
/// <param name="SecondsLeft">What the rest will take at the pace so far; null before there is one.</param>
internal sealed record JobProgress(string? Stage, double Share, double? SecondsLeft);

/// <summary>A job cannot succeed for a reason that its user can mend.</summary>
internal sealed class JobFailedException(string code, string detail) : Exception(detail)
{
    public string Code { get; } = code;
}
