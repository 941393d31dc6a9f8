using Microsoft.AspNetCore.Mvc;
using PaDiM.Service.Access;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Jobs;
using PaDiM.Service.Models;

namespace PaDiM.Service.Learning;

/// <summary>
/// <c>/v1/categories/{category}/lookbacks</c> and <c>/v1/lookbacks</c>: what a threshold or a version would have decided.
/// </summary>
internal static class LookbackEndpoints
{
    public static void MapLookbacks(this IEndpointRouteBuilder routes, RouteGroupBuilder category)
    {
        var ofCategory = category.MapGroup("lookbacks").WithTags("Learning");
        ofCategory
            .MapPost("", StartAsync)
            .Audited("lookback.start")
            .WithName("StartLookback")
            .WithSummary("Decides inspections of the past again, in the background")
            .WithDescription(
                "Responds at once with a job, whose identifier is also that of the lookback. A threshold alone is tried on the "
                    + "scores in the ledger. A version scores the kept photographs of what it did not score then. Nothing "
                    + "changes."
            )
            .Produces<JobResponse>(StatusCodes.Status202Accepted);
        ofCategory
            .MapGet("", ListAsync)
            .Needs(AccessScope.Review)
            .WithName("ListLookbacks")
            .WithSummary("Lists a category's lookbacks, newest first")
            .Produces<Page<LookbackResponse>>();
        var lookbacks = routes.MapGroup("/v1/lookbacks").Needs(AccessScope.Review).WithTags("Learning");
        lookbacks
            .MapGet("{id}", GetAsync)
            .WithName("GetLookback")
            .WithSummary("Gets a lookback")
            .Produces<LookbackResponse>();
        lookbacks
            .MapGet("{id}/inspections", ListFlipsAsync)
            .WithName("ListLookbackInspections")
            .WithSummary("Lists inspections that would be decided differently, latest first")
            .WithDescription("The latest 10,000 that are still kept.")
            .Produces<Page<LookbackFlip>>();
    }

    private static Task<IResult> StartAsync(
        string category,
        LookbackRequest request,
        Caller caller,
        CategoryStore categories,
        ModelStore models,
        JobStarter jobs,
        TimeProvider time,
        CancellationToken cancellationToken,
        [FromHeader(Name = "Idempotency-Key")] string? idempotencyKey = null
    ) =>
        request.Validate(time.GetUtcNow().UtcDateTime) is { } invalid
            ? Task.FromResult<IResult>(invalid)
            : jobs.StartAsync(
                JobKind.Lookback,
                category,
                request,
                idempotencyKey,
                () => CheckAsync(category, request.ModelVersion, caller, categories, models, cancellationToken),
                cancellationToken
            );

    /// <summary>Checks that the version is there; lookbacks have no estimate.</summary>
    private static async Task<Outcome<JobEstimate?>> CheckAsync(
        string category,
        int? version,
        Caller caller,
        CategoryStore categories,
        ModelStore models,
        CancellationToken cancellationToken
    )
    {
        if (!(await categories.GetAsync(category, cancellationToken)).Succeeded(out var found, out var problem))
            return problem;
        if (found.ImagesOf is { } source && !caller.MaySee(source))
            return Problems.CategoryForbidden(source);
        if ((version ?? found.ActiveModelVersion) is not { } wanted)
            return Problems.ModelNotReady(category);
        return (await models.GetAsync(category, wanted, cancellationToken)).Succeeded(out _, out problem)
            ? default(JobEstimate)
            : problem;
    }

    private static async Task<IResult> ListAsync(
        string category,
        LookbackStore store,
        CancellationToken cancellationToken,
        int? limit = null,
        string? cursor = null
    )
    {
        if (!PageRequest.Parse(limit, cursor).Succeeded(out var page, out var problem))
            return problem;
        return (await store.ListAsync(category, page, cancellationToken)).ToResult(TypedResults.Ok);
    }

    private static async Task<IResult> GetAsync(
        string id,
        Caller caller,
        LookbackStore store,
        CancellationToken cancellationToken
    ) => (await FindAsync(id, caller, store, cancellationToken)).ToResult(TypedResults.Ok);

    private static async Task<IResult> ListFlipsAsync(
        string id,
        Caller caller,
        LookbackStore store,
        CancellationToken cancellationToken,
        int? limit = null,
        string? cursor = null
    )
    {
        if (!PageRequest.Parse(limit, cursor).Succeeded(out var page, out var problem))
            return problem;
        if (!(await FindAsync(id, caller, store, cancellationToken)).Succeeded(out var found, out problem))
            return problem;
        // A region shows inspections of the category that it takes its images from.
        if (await store.GetSourceAsync(found.Category, cancellationToken) is var source && !caller.MaySee(source))
            return Problems.CategoryForbidden(source);
        return (await store.ListFlipsAsync(id, page, cancellationToken)).ToResult(TypedResults.Ok);
    }

    /// <summary>Finds a lookback; one of a category that the caller may not see does not exist for the caller.</summary>
    private static async Task<Outcome<LookbackResponse>> FindAsync(
        string id,
        Caller caller,
        LookbackStore store,
        CancellationToken cancellationToken
    ) =>
        (await store.GetAsync(id, cancellationToken)).Succeeded(out var found, out var problem)
            ? caller.MaySee(found.Category)
                ? found
                : Problems.LookbackNotFound(id)
            : problem;
}
