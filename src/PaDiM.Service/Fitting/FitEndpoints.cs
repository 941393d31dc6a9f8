using Microsoft.AspNetCore.Mvc;
using PaDiM.Service.Access;
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
            .Produces<JobResponse>(StatusCodes.Status202Accepted);

    private static Task<IResult> StartAsync(
        string category,
        FitPlanner planner,
        JobStarter jobs,
        CancellationToken cancellationToken,
        FitRequest? request = null,
        [FromHeader(Name = "Idempotency-Key")] string? idempotencyKey = null
    )
    {
        var wanted = request ?? new FitRequest();
        if (wanted is { Activate: true, Shadow: true })
            return Task.FromResult<IResult>(
                Problems.InvalidRequest("A version is active or in the shadow: send activate: false with shadow: true.")
            );
        return jobs.StartAsync(
            JobKind.Fit,
            category,
            wanted,
            idempotencyKey,
            async () =>
                (await planner.PlanAsync(category, cancellationToken)).Succeeded(out var plan, out var problem)
                    ? plan.Estimate
                    : problem,
            cancellationToken
        );
    }
}
