using System.ComponentModel.DataAnnotations;
using PaDiM.Service.Http;

namespace PaDiM.Service.Data;

/// <summary>The kind of a job.</summary>
internal enum JobKind
{
    /// <summary>Fits a model.</summary>
    Fit,

    /// <summary>Evaluates a model on labelled images.</summary>
    Evaluation,

    /// <summary>Decides inspections of the past again.</summary>
    Lookback,
}

/// <summary>The state of a job. The last three are final.</summary>
internal enum JobState
{
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

/// <summary>A row of the job queue: the table is the queue.</summary>
internal sealed class Job
{
    /// <summary>Sortable by creation time; jobs run in this order.</summary>
    [MaxLength(32)]
    public required string Id { get; init; }

    public JobKind Kind { get; init; }

    [MaxLength(CategoryName.MaxLength)]
    public required string Category { get; init; }

    /// <summary>The new value, as JSON.</summary>
    public required string Request { get; init; }

    [MaxLength(200)]
    public string? IdempotencyKey { get; init; }

    /// <summary>The expected requirements, as JSON; null if not estimated.</summary>
    public string? Estimate { get; init; }

    public JobState State { get; set; }

    [MaxLength(40)]
    public string? Stage { get; set; }

    public double Progress { get; set; }

    /// <summary>Estimated remaining time at the current pace, in seconds.</summary>
    public double? SecondsLeft { get; set; }

    public DateTime CreatedAt { get; init; }

    public DateTime? StartedAt { get; set; }

    public DateTime? FinishedAt { get; set; }

    /// <summary>Number of times that a worker has started the job.</summary>
    public int Attempts { get; set; }

    [MaxLength(64)]
    public string? ErrorCode { get; set; }

    public string? ErrorDetail { get; set; }

    public int? ModelVersion { get; set; }

    public bool CancelRequested { get; set; }

    /// <summary>The worker that holds the job, for people to read.</summary>
    [MaxLength(200)]
    public string? LeasedBy { get; set; }

    /// <summary>
    /// When another worker may take the job, by the clock of the current worker. <c>JobWatch</c> explains how
    /// reliable that is.
    /// </summary>
    public DateTime? LeaseExpiresAt { get; set; }

    /// <summary>
    /// Increases every time the job changes hands. A worker with an older number can no longer change anything.
    /// </summary>
    public long Fence { get; set; }

    /// <summary>Completes the job in the same transaction as its result.</summary>
    /// <param name="now">The current time.</param>
    /// <param name="modelVersion">The version that was published or evaluated.</param>
    public void Succeed(DateTime now, int modelVersion)
    {
        State = JobState.Succeeded;
        Progress = 1;
        SecondsLeft = null;
        Stage = null;
        FinishedAt = now;
        LeaseExpiresAt = null;
        ModelVersion = modelVersion;
    }

    public bool IsFinal => State is JobState.Succeeded or JobState.Failed or JobState.Cancelled;
}
