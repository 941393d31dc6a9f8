namespace PaDiM.Service.Jobs;

/// <summary>Does the work of one kind of job. It makes the job final itself when it succeeds, in one transaction with what it publishes.</summary>
/// <param name="context">The job at hand.</param>
/// <param name="cancellationToken">Cancelled when the job is cancelled, its lease is lost, or the process stops.</param>
internal delegate Task JobHandler(JobContext context, CancellationToken cancellationToken);

/// <summary>A claimed job as its handler sees it.</summary>
internal sealed class JobContext(Job job)
{
    private volatile Step current = new(job.Stage, job.Progress);

    public Job Job { get; } = job;

    public JobLease Lease { get; } = new(job.Id, job.Fence);

    public (string? Stage, double Progress) Progress => (current.Stage, current.Progress);

    /// <summary>Tells how far the work has come; the next heartbeat passes it on.</summary>
    public void Report(string stage, double progress) => current = new Step(stage, progress);

    private sealed record Step(string? Stage, double Progress);
}

/// <summary>A job cannot succeed for a reason that its user can mend.</summary>
internal sealed class JobFailedException(string code, string detail) : Exception(detail)
{
    public string Code { get; } = code;
}
