using System.Text.Json;
using PaDiM.Service.Access;
using PaDiM.Service.Http;
using PaDiM.Service.Models;
using PaDiM.Service.Thresholds;

namespace PaDiM.Service.Categories;

/// <summary><c>/v1/categories</c>: products to inspect, and their thresholds.</summary>
internal static class CategoryEndpoints
{
    public static void MapCategories(this RouteGroupBuilder categories, RouteGroupBuilder category)
    {
        categories
            .MapGet("", ListAsync)
            .Needs(AccessScope.Score)
            .WithTags("Categories")
            .WithName("ListCategories")
            .WithSummary("Lists categories by name")
            .Produces<Page<CategoryResponse>>();
        var one = category.MapGroup("").WithTags("Categories");
        one.MapPut("", PutAsync)
            .Audited("category.put")
            .WithName("PutCategory")
            .WithSummary("Creates a category, or gives it new settings")
            .WithDescription(
                "Everything left out takes the profile's value. New settings count from the next fit on, and the active model keeps its own; only falseRejectRate, reviewRate and pinned, stated or not, count at once."
            )
            .Produces<CategoryResponse>()
            .Produces<CategoryResponse>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        one.MapGet("", GetAsync)
            .Needs(AccessScope.Score)
            .WithName("GetCategory")
            .WithSummary("Shows a category")
            .Produces<CategoryResponse>()
            .ProducesProblem(StatusCodes.Status404NotFound);
        one.MapDelete("", DeleteAsync)
            .Needs(AccessScope.Admin)
            .Audited("category.delete")
            .WithName("DeleteCategory")
            .WithSummary("Deletes a category with its images, models and jobs")
            .Produces(StatusCodes.Status204NoContent)
            .ProducesProblem(StatusCodes.Status404NotFound);
        one.MapGet("threshold", GetThresholdAsync)
            .Needs(AccessScope.Score)
            .WithName("GetThreshold")
            .WithSummary("Shows the threshold in force and its history")
            .Produces<ThresholdResponse>()
            .ProducesProblem(StatusCodes.Status404NotFound);
        one.MapPatch("threshold", PatchThresholdAsync)
            .Audited("threshold.patch")
            .WithName("PatchThreshold")
            .WithSummary("Changes the threshold without a refit")
            .WithDescription(
                "By false-reject rate, by value for the active model, or back to the calibrated one with `{\"threshold\": null}`. Each change is kept with who and when. While an earlier version scores in the place of a damaged one, only by rate: that counts for both."
            )
            .Accepts<ThresholdRequest>("application/json")
            .Produces<ThresholdResponse>()
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> ListAsync(
        Caller caller,
        CategoryStore store,
        CancellationToken cancellationToken,
        int? limit = null,
        string? cursor = null
    ) =>
        PageRequest.Parse(limit, cursor).Succeeded(out var page, out var problem)
            ? TypedResults.Ok(await store.ListAsync(caller.Categories, page, cancellationToken))
            : problem;

    private static async Task<IResult> PutAsync(
        string category,
        HttpContext context,
        CategoryStore store,
        SettingsResolver resolver,
        ModelRegistry registry,
        CancellationToken cancellationToken,
        CategoryRequest? request = null
    )
    {
        request ??= new CategoryRequest();
        context.NoteForAudit(request);
        if (!resolver.Resolve(request).Succeeded(out var resolved, out var problem))
            return problem;
        if (
            !(
                await store.PutAsync(
                    category,
                    resolved.Settings,
                    resolved.FalseRejectRate,
                    request.Pinned,
                    Who(context),
                    cancellationToken
                )
            ).Succeeded(out var put, out problem)
        )
            return problem;
        var (described, created) = put;
        context.NoteForAudit(
            new
            {
                described.Backbone,
                described.Profile,
                described.ImageSize,
                described.CropSize,
                described.Reduction,
                described.Epsilon,
                described.BlurSigma,
                described.Shrinkage,
                described.Alignment,
                described.FalseRejectRate,
                described.ReviewRate,
                described.Pinned,
            }
        );
        if (created)
            return TypedResults.Created($"/v1/categories/{category}", described);
        if (described.ActiveModelVersion is not null)
            await registry.RefreshAsync(category, CancellationToken.None);
        return TypedResults.Ok(described);
    }

    private static async Task<IResult> GetAsync(
        string category,
        CategoryStore store,
        CancellationToken cancellationToken
    ) => (await store.GetAsync(category, cancellationToken)).ToResult(TypedResults.Ok);

    private static async Task<IResult> DeleteAsync(
        string category,
        CategoryStore store,
        ModelRegistry registry,
        CancellationToken cancellationToken
    )
    {
        if (await store.DeleteAsync(category, cancellationToken) is { } problem)
            return problem;
        await registry.ForgetAsync(category);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> GetThresholdAsync(
        string category,
        CategoryStore store,
        ModelRegistry registry,
        CancellationToken cancellationToken
    )
    {
        if (!(await store.GetAsync(category, cancellationToken)).Succeeded(out var found, out var problem))
            return problem;
        var model = (await registry.AcquireAsync(category, null, cancellationToken)).Succeeded(out var ready, out _)
            ? ready
            : null;
        return TypedResults.Ok(
            new ThresholdResponse(
                model?.Version,
                model?.StandsInFor is not null,
                model?.Threshold,
                model?.Calibrated ?? true,
                found.FalseRejectRate,
                model?.Inspector.Model.Calibration.SmallestFalseRejectRate,
                model?.ReviewThreshold,
                await store.ThresholdHistoryAsync(category, cancellationToken)
            )
        );
    }

    private static async Task<IResult> PatchThresholdAsync(
        string category,
        JsonElement body,
        HttpContext context,
        CategoryStore store,
        ModelRegistry registry,
        CancellationToken cancellationToken
    )
    {
        context.NoteForAudit(body);
        if (!ThresholdRequest.Parse(body).Succeeded(out var change, out var problem))
            return problem;
        if (
            change.CheckAgainst(
                (await registry.AcquireAsync(category, null, cancellationToken)).Succeeded(out var model, out _)
                    ? model
                    : null
            ) is
            { } ambiguous
        )
            return ambiguous;
        if (
            await store.ChangeThresholdAsync(
                category,
                change.FalseRejectRate,
                change.Threshold,
                Who(context),
                cancellationToken
            ) is
            { } refused
        )
            return refused;
        await registry.RefreshAsync(category, CancellationToken.None);
        return await GetThresholdAsync(category, store, registry, cancellationToken);
    }

    private static string Who(HttpContext context) => context.User.Identity?.Name ?? "anonymous";
}
