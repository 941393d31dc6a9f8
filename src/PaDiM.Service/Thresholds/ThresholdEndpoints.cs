using System.Text.Json;
using PaDiM.Service.Access;
using PaDiM.Service.Categories;
using PaDiM.Service.Http;
using PaDiM.Service.Models;

namespace PaDiM.Service.Thresholds;

/// <summary><c>/v1/categories/{category}/threshold</c>: the threshold in force, and its changes.</summary>
internal static class ThresholdEndpoints
{
    public static void MapThreshold(this RouteGroupBuilder category)
    {
        var one = category.MapGroup("").WithTags("Categories");
        one.MapGet("threshold", GetThresholdAsync)
            .Needs(AccessScope.Score)
            .WithName("GetThreshold")
            .WithSummary("Gets the threshold in force and its history")
            .Produces<ThresholdResponse>();
        one.MapPatch("threshold", PatchThresholdAsync)
            .Audited("threshold.patch")
            .WithName("PatchThreshold")
            .WithSummary("Changes the threshold without a refit")
            .WithDescription(
                "Sets a false-reject rate or a value for the active model, or resets to the calibrated "
                    + "threshold with `{\"threshold\": null}`. Every change is recorded with its caller, time and `reason`. "
                    + "While an earlier version stands in for a damaged one, only the rate can be changed, because "
                    + "it applies to both."
            )
            .Accepts<ThresholdRequest>("application/json")
            .Produces<ThresholdResponse>();
    }

    private static async Task<IResult> GetThresholdAsync(
        string category,
        CategoryStore categories,
        ThresholdStore thresholds,
        ModelRegistry registry,
        CancellationToken cancellationToken
    )
    {
        if (!(await categories.GetAsync(category, cancellationToken)).Succeeded(out var found, out var problem))
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
                model?.Scorer.Model.Calibration.SmallestFalseRejectRate,
                model?.ReviewThreshold,
                await thresholds.ListChangesAsync(category, cancellationToken)
            )
        );
    }

    private static async Task<IResult> PatchThresholdAsync(
        string category,
        JsonElement body,
        HttpContext context,
        CategoryStore categories,
        ThresholdStore thresholds,
        ModelRegistry registry,
        CancellationToken cancellationToken
    )
    {
        context.AddAuditDetail(body);
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
            await thresholds.ChangeAsync(
                category,
                change.FalseRejectRate,
                change.Threshold,
                context.User.Identity?.Name ?? Caller.AnonymousName,
                change.Reason,
                cancellationToken
            ) is
            { } refused
        )
            return refused;
        await registry.RefreshAsync(category, CancellationToken.None);
        return await GetThresholdAsync(category, categories, thresholds, registry, cancellationToken);
    }
}
