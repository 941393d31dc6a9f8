using System.ComponentModel.DataAnnotations;
using PaDiM.Service.Http;
using PaDiM.Service.Jobs;

namespace PaDiM.Service.Data;

/// <summary>What a job does.</summary>
internal enum JobKind
{
    /// <summary>Fits a model.</summary>
    Fit,

    /// <summary>Measures a model on labelled images.</summary>
    Evaluation,
}

/// <summary>How a job stands. The last three are final.</summary>
internal enum JobState
{
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

/// <summary>A row of the queue: the table is the queue.</summary>
internal sealed class Job
{
    /// <summary>Sortable by time of creation: jobs are taken in this order.</summary>
    [MaxLength(32)]
    public required string Id { get; init; }

    public JobKind Kind { get; init; }

    [MaxLength(CategoryName.MaxLength)]
    public required string Category { get; init; }

    /// <summary>What was asked, as JSON.</summary>
    public required string Request { get; init; }

    [MaxLength(200)]
    public string? IdempotencyKey { get; init; }

    /// <summary>What it was expected to need, as JSON; null where that was not estimated.</summary>
    public string? Estimate { get; init; }

    public JobState State { get; set; }

    [MaxLength(40)]
    public string? Stage { get; set; }

    public double Progress { get; set; }

    /// <summary>What the rest will take at the pace so far.</summary>
    public double? SecondsLeft { get; set; }

    public DateTime CreatedAt { get; init; }

    public DateTime? StartedAt { get; set; }

    public DateTime? FinishedAt { get; set; }

    /// <summary>How often it has been taken up.</summary>
    public int Attempts { get; set; }

    [MaxLength(64)]
    public string? ErrorCode { get; set; }

    public string? ErrorDetail { get; set; }

    public int? ModelVersion { get; set; }

    public bool CancelRequested { get; set; }

    /// <summary>Who has it, for people to read.</summary>
    [MaxLength(200)]
    public string? LeasedBy { get; set; }

    /// <summary>
    /// When another worker may take it, by the clock of the one that has it; <see cref="JobWatch"/> says what that is
    /// worth.
    /// </summary>
    public DateTime? LeaseExpiresAt { get; set; }

    /// <summary>
    /// Grows whenever the job changes hands: whoever holds an older number can change nothing any more.
    /// </summary>
    public long Fence { get; set; }

    /// <summary>Ends the job well, together with what it publishes.</summary>
    /// <param name="now">The time.</param>
    /// <param name="modelVersion">The version that it published or measured.</param>
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
