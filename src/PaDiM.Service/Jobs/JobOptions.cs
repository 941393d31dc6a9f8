using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Jobs;

/// <summary>Settings of the job queue.</summary>
internal sealed class JobOptions
{
    /// <summary>Clients that follow jobs by server-sent events at a time; one more is answered with 503.</summary>
    [Range(1, 100_000)]
    public int MaxEventStreams { get; set; } = 256;

    /// <summary>Jobs that this process runs at a time; 0 for a replica that only scores.</summary>
    [Range(0, 64)]
    public int JobWorkers { get; set; } = 1;

    /// <summary>Jobs that may wait; one more is answered with 503.</summary>
    [Range(1, 1_000_000)]
    public int JobQueueCapacity { get; set; } = 1000;

    /// <summary>How long a job stays with a worker that no longer renews its lease, in seconds.</summary>
    [Range(3, 3600)]
    public int JobLeaseSeconds { get; set; } = 30;
}
