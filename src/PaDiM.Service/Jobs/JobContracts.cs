using System.Text.Json;
using PaDiM.Service.Data;

namespace PaDiM.Service.Jobs;

/// <summary>A job as it stands.</summary>
/// <param name="Id">Identifier.</param>
/// <param name="Kind">What it does.</param>
/// <param name="Category">For which category.</param>
/// <param name="State">How it stands; succeeded, failed and cancelled are final.</param>
/// <param name="Stage">What is being done: aligning, embedding, factorising, calibrating and publishing, or scoring and
/// measuring.</param>
/// <param name="Progress">Share done, 0 to 1.</param>
/// <param name="SecondsLeft">What the rest will take at the pace so far; null before there is one, and when the job is
/// final.</param>
/// <param name="CreatedAt">When it was asked for.</param>
/// <param name="StartedAt">When it was first taken up.</param>
/// <param name="FinishedAt">When it became final.</param>
/// <param name="Attempts">How often it was taken up; more than 1 after a crash or restart.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="ModelVersion">The version that it published, or measured.</param>
/// <param name="Estimate">What a fit was expected to need when it was asked for; null for evaluations.</param>
internal sealed record JobResponse(
    string Id,
    JobKind Kind,
    string Category,
    JobState State,
    string? Stage,
    double Progress,
    double? SecondsLeft,
    DateTime CreatedAt,
    DateTime? StartedAt,
    DateTime? FinishedAt,
    int Attempts,
    JobError? Error,
    int? ModelVersion,
    JobEstimate? Estimate
)
{
    public static JobResponse From(Job job) =>
        new(
            job.Id,
            job.Kind,
            job.Category,
            job.State,
            job.Stage,
            Math.Round(job.Progress, 4),
            job.SecondsLeft is { } left ? Math.Round(left, 1) : null,
            job.CreatedAt,
            job.StartedAt,
            job.FinishedAt,
            job.Attempts,
            job.ErrorCode is null ? null : new JobError(job.ErrorCode, job.ErrorDetail ?? ""),
            job.ModelVersion,
            job.Estimate is { } estimate ? JsonSerializer.Deserialize<JobEstimate>(estimate) : null
        );
}

/// <summary>Why a job failed.</summary>
/// <param name="Code">A stable code.</param>
/// <param name="Detail">A sentence that says what to do.</param>
internal sealed record JobError(string Code, string Detail);
