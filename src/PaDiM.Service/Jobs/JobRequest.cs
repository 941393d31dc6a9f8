using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Jobs;

/// <summary>What all requests that start a job have in common.</summary>
internal static class JobRequest
{
    private const int MaxKeyLength = 200;

    /// <summary>The problem with an Idempotency-Key, or null.</summary>
    public static Problem? CheckKey(string? idempotencyKey) =>
        idempotencyKey is { Length: 0 or > MaxKeyLength }
            ? Problems.InvalidRequest($"An Idempotency-Key has 1 to {MaxKeyLength} characters.")
            : null;

    /// <summary>The answer: the job, and where to follow it.</summary>
    public static IResult Accepted(Job job) => TypedResults.Accepted($"/v1/jobs/{job.Id}", JobResponse.From(job));
}
