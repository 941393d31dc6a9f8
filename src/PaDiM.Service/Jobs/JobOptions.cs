using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Jobs;

/// <summary>Settings of the job queue.</summary>
internal sealed class JobOptions
{
    /// <summary>Maximum number of clients that follow jobs by server-sent events; further ones get 503.</summary>
    [Range(1, 100_000)]
    public int MaxEventStreams { get; set; } = 256;

    /// <summary>Maximum number of queued jobs; beyond it, requests get 503.</summary>
    [Range(1, 1_000_000)]
    public int JobQueueCapacity { get; set; } = 1000;

    /// <summary>How long a job stays with a worker that no longer renews its lease, in seconds.</summary>
    [Range(3, 3600)]
    public int JobLeaseSeconds { get; set; } = 30;
}
