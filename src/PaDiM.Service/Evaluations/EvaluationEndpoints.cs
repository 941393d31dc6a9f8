using Microsoft.AspNetCore.Mvc;
using PaDiM.Service.Access;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Jobs;
using PaDiM.Service.Models;

namespace PaDiM.Service.Evaluations;

/// <summary>
/// <c>/v1/categories/{category}/evaluations</c> and <c>/v1/evaluations</c>: how well a model does on labelled images.
/// </summary>
internal static class EvaluationEndpoints
{
    public static void MapEvaluationEndpoints(this IEndpointRouteBuilder routes, RouteGroupBuilder category)
    {
        var ofCategory = category.MapGroup("evaluations").WithTags("Evaluation");
        ofCategory
            .MapPost("", StartAsync)
            .Audited("evaluation.start")
            .WithName("StartEvaluation")
            .WithSummary("Evaluates a model on the category's labelled images, in the background")
            .WithDescription(
                "Responds at once with a job, whose identifier is also that of the evaluation. Normal images "
                    + "that the model was fitted to count with their exact leave-one-out scores; all others are "
                    + "scored."
            )
            .Produces<JobResponse>(StatusCodes.Status202Accepted);
        ofCategory
            .MapGet("", ListAsync)
            .WithName("ListEvaluations")
            .WithSummary("Lists a category's evaluations, newest first")
            .Produces<Page<EvaluationResponse>>();
        var evaluations = routes.MapGroup("/v1/evaluations").Needs(AccessScope.Train).WithTags("Evaluation");
        evaluations
            .MapGet("{id}", GetAsync)
            .WithName("GetEvaluation")
            .WithSummary("Gets an evaluation")
            .Produces<EvaluationResponse>();
        evaluations
            .MapGet("{id}/images", ListImagesAsync)
            .WithName("ListEvaluatedImages")
            .WithSummary("Lists the scores of an evaluation's images")
            .Produces<Page<EvaluatedImage>>();
    }

    private static Task<IResult> StartAsync(
        string category,
        CategoryStore categories,
        ModelStore models,
        JobStarter jobs,
        CancellationToken cancellationToken,
        EvaluationRequest? request = null,
        [FromHeader(Name = "Idempotency-Key")] string? idempotencyKey = null
    )
    {
        var wanted = request ?? new EvaluationRequest();
        return jobs.StartAsync(
            JobKind.Evaluation,
            category,
            wanted,
            idempotencyKey,
            () => CheckAsync(category, wanted.Model, categories, models, cancellationToken),
            cancellationToken
        );
    }

    /// <summary>Checks that there is something to evaluate; evaluations have no estimate.</summary>
    private static async Task<Outcome<JobEstimate?>> CheckAsync(
        string category,
        int? version,
        CategoryStore categories,
        ModelStore models,
        CancellationToken cancellationToken
    )
    {
        if (!(await categories.GetAsync(category, cancellationToken)).Succeeded(out var found, out var problem))
            return problem;
        if ((version ?? found.ActiveModelVersion) is not { } wanted)
            return Problems.ModelNotReady(category);
        if (!(await models.GetAsync(category, wanted, cancellationToken)).Succeeded(out _, out problem))
            return problem;
        return found.Images.Anomalous > 0 ? default(JobEstimate) : Problems.NoAnomalousImages();
    }

    private static async Task<IResult> ListAsync(
        string category,
        EvaluationStore store,
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
        EvaluationStore store,
        CancellationToken cancellationToken
    ) => (await FindAsync(id, caller, store, cancellationToken)).ToResult(TypedResults.Ok);

    private static async Task<IResult> ListImagesAsync(
        string id,
        Caller caller,
        EvaluationStore store,
        CancellationToken cancellationToken,
        int? limit = null,
        string? cursor = null
    )
    {
        if (!PageRequest.Parse(limit, cursor).Succeeded(out var page, out var problem))
            return problem;
        if (!(await FindAsync(id, caller, store, cancellationToken)).Succeeded(out _, out problem))
            return problem;
        return (await store.ListImagesAsync(id, page, cancellationToken)).ToResult(TypedResults.Ok);
    }

    /// <summary>
    /// Finds an evaluation; one of a category that the caller may not see does not exist for the caller.
    /// </summary>
    private static async Task<Outcome<EvaluationResponse>> FindAsync(
        string id,
        Caller caller,
        EvaluationStore store,
        CancellationToken cancellationToken
    ) =>
        (await store.GetAsync(id, cancellationToken)).Succeeded(out var found, out var problem)
            ? caller.MaySee(found.Category)
                ? found
                : Problems.EvaluationNotFound(id)
            : problem;
}
