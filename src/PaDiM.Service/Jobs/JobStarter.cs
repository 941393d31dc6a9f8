using System.Text.Json;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Jobs;

/// <summary>Starts jobs: the part that all requests for a job have in common.</summary>
internal sealed class JobStarter(CategoryStore categories, DiskSpace space, JobStore jobs)
{
    private const int MaxKeyLength = 200;

    /// <summary>Enqueues a job and creates the answer. The same key with the same request gives the same job.</summary>
    /// <param name="kind">What the job does.</param>
    /// <param name="category">The category.</param>
    /// <param name="request">The body of the request.</param>
    /// <param name="idempotencyKey">The client's name for the request; null for none.</param>
    /// <param name="prepareAsync">Gives the job's estimate (null for none), or the problem that stops it.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public async Task<IResult> StartAsync<TRequest>(
        JobKind kind,
        string category,
        TRequest request,
        string? idempotencyKey,
        Func<Task<Outcome<JobEstimate?>>> prepareAsync,
        CancellationToken cancellationToken
    )
    {
        if (idempotencyKey is { Length: 0 or > MaxKeyLength })
            return Problems.InvalidRequest($"An Idempotency-Key has 1 to {MaxKeyLength} characters.");
        if (!await categories.ExistsAsync(category, cancellationToken))
            return Problems.CategoryNotFound(category);
        var body = JsonSerializer.Serialize(request);
        // A repeated request gets the same answer, even if the images have changed since.
        if (
            idempotencyKey is not null
            && await jobs.FindAsync(kind, category, body, idempotencyKey, cancellationToken) is { } earlier
        )
            return earlier.ToResult(ToAccepted);
        if (space.ValidateFreeSpace() is { } full)
            return full;
        if (!(await prepareAsync()).Succeeded(out var estimate, out var problem))
            return problem;
        return (await jobs.EnqueueAsync(kind, category, body, idempotencyKey, cancellationToken, estimate)).ToResult(
            ToAccepted
        );
    }

    private static IResult ToAccepted(Job job) => TypedResults.Accepted($"/v1/jobs/{job.Id}", JobResponse.From(job));
}
