using System.Text.Json;
using Microsoft.AspNetCore.Mvc;
using PaDiM.Service.Access;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Jobs;

namespace PaDiM.Service.Fitting;

/// <summary><c>/v1/categories/{category}/fits</c>: to start a fit.</summary>
internal static class FitEndpoints
{
    public static void MapFits(this RouteGroupBuilder category) =>
        category
            .MapPost("fits", StartAsync)
            .Audited("fit.start")
            .WithTags("Fitting")
            .WithName("StartFit")
            .WithSummary("Fits a model to the category's normal images, in the background")
            .WithDescription(
                "Responds at once with a job and the expected requirements of the fit (`estimate`); follow "
                    + "the job at its Location. The same Idempotency-Key with the same body returns the same job."
            )
            .Produces<JobResponse>(StatusCodes.Status202Accepted)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    private static async Task<IResult> StartAsync(
        string category,
        CategoryStore categories,
        FitCapacity capacity,
        DiskSpace space,
        JobStore jobs,
        CancellationToken cancellationToken,
        FitRequest? request = null,
        [FromHeader(Name = "Idempotency-Key")] string? idempotencyKey = null
    )
    {
        if (JobRequest.CheckKey(idempotencyKey) is { } badKey)
            return badKey;
        if (!(await categories.GetAsync(category, cancellationToken)).Succeeded(out var found, out var problem))
            return problem;
        var body = JsonSerializer.Serialize(request ?? new FitRequest());
        // A request that is sent again gets the same answer, whatever has become of the images since.
        if (
            idempotencyKey is not null
            && await jobs.FindAsync(JobKind.Fit, category, body, idempotencyKey, cancellationToken) is { } earlier
        )
            return earlier.ToResult(JobRequest.Accepted);
        if (space.FindShortage() is { } full)
            return full;
        if (found.Images.Normal < 2)
            return Problems.TooFewImages(found.Images.Normal);
        if (!(await capacity.EstimateAsync(category, cancellationToken)).Succeeded(out var estimate, out var misfit))
            return misfit;
        return (
            await jobs.EnqueueAsync(JobKind.Fit, category, body, idempotencyKey, cancellationToken, estimate)
        ).ToResult(JobRequest.Accepted);
    }
}
