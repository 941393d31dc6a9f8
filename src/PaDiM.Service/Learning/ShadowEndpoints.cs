using PaDiM.Service.Access;
using PaDiM.Service.Categories;
using PaDiM.Service.Http;
using PaDiM.Service.Models;

namespace PaDiM.Service.Learning;

/// <summary><c>/v1/categories/{category}/shadow</c>: a candidate that scores beside the active version.</summary>
internal static class ShadowEndpoints
{
    public static void MapShadow(this RouteGroupBuilder category)
    {
        var shadow = category.MapGroup("shadow").WithTags("Learning");
        shadow
            .MapGet("", GetAsync)
            .Needs(AccessScope.Review)
            .WithName("GetShadow")
            .WithSummary("Compares the shadow with the active version")
            .Produces<ShadowResponse>();
        shadow
            .MapPut("", PutAsync)
            .Audited("shadow.put")
            .WithName("PutShadow")
            .WithSummary("Lets a version score in the shadow of the active one")
            .WithDescription(
                "From now on the version scores every photograph that the active version decides, behind the answer: no "
                    + "answer waits for it or changes. Photographs for which the line leaves no time are missed and counted. "
                    + "It replaces the shadow of before."
            )
            .Produces<ShadowResponse>();
        shadow
            .MapDelete("", DeleteAsync)
            .Audited("shadow.delete")
            .WithName("DeleteShadow")
            .WithSummary("Ends the shadow; the version stays")
            .Produces(StatusCodes.Status204NoContent);
        shadow
            .MapGet("differences", ListAsync)
            .Needs(AccessScope.Review)
            .WithName("ListShadowDifferences")
            .WithSummary("Lists the inspections about which both decide differently, latest first")
            .Produces<Page<ShadowDifference>>();
        shadow
            .MapPost("promote", PromoteAsync)
            .Audited("shadow.promote")
            .WithName("PromoteShadow")
            .WithSummary("Activates the version of the shadow, which ends it")
            .WithDescription("With `version`, only if that is still the version of the shadow.")
            .Produces<ModelResponse>();
    }

    private static async Task<IResult> GetAsync(
        string category,
        Caller caller,
        CategoryStore categories,
        ShadowStore store,
        ShadowLedger ledger,
        CancellationToken cancellationToken
    )
    {
        if (await CheckSourceAsync(category, caller, categories, cancellationToken) is { } hidden)
            return hidden;
        if (!(await store.GetAsync(category, cancellationToken)).Succeeded(out var shadow, out var problem))
            return problem;
        return TypedResults.Ok(ShadowResponse.Create(shadow, await ledger.CountAsync(shadow, cancellationToken)));
    }

    private static async Task<IResult> PutAsync(
        string category,
        ShadowRequest request,
        HttpContext context,
        Caller caller,
        CategoryStore categories,
        ShadowStore store,
        ShadowLedger ledger,
        ModelRegistry registry,
        CancellationToken cancellationToken
    )
    {
        context.AddAuditDetail(request);
        if (await CheckSourceAsync(category, caller, categories, cancellationToken) is { } hidden)
            return hidden;
        if (await store.StartAsync(category, request.Version, cancellationToken) is { } problem)
            return problem;
        await ledger.ForgetMissesAsync(category, request.Version, cancellationToken);
        await registry.RefreshAsync(category, CancellationToken.None);
        return await GetAsync(category, caller, categories, store, ledger, cancellationToken);
    }

    private static async Task<IResult> DeleteAsync(
        string category,
        ShadowStore store,
        ModelRegistry registry,
        CancellationToken cancellationToken
    )
    {
        if (await store.EndAsync(category, cancellationToken) is { } problem)
            return problem;
        await registry.RefreshAsync(category, CancellationToken.None);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> ListAsync(
        string category,
        Caller caller,
        CategoryStore categories,
        ShadowStore store,
        ShadowLedger ledger,
        CancellationToken cancellationToken,
        int? limit = null,
        string? cursor = null
    )
    {
        if (!PageRequest.Parse(limit, cursor).Succeeded(out var page, out var problem))
            return problem;
        if (await CheckSourceAsync(category, caller, categories, cancellationToken) is { } hidden)
            return hidden;
        if (!(await store.GetAsync(category, cancellationToken)).Succeeded(out var shadow, out problem))
            return problem;
        return (await ledger.ListAsync(shadow, page, cancellationToken)).ToResult(TypedResults.Ok);
    }

    private static async Task<IResult> PromoteAsync(
        string category,
        HttpContext context,
        ShadowStore store,
        ModelActivation activation,
        CancellationToken cancellationToken,
        int? version = null
    )
    {
        if (!(await store.GetAsync(category, cancellationToken)).Succeeded(out var shadow, out var problem))
            return problem;
        if (version is { } expected && expected != shadow.Version)
            return Problems.ShadowChanged(expected, shadow.Version);
        context.AddAuditDetail(new { shadow.Version, Replaces = shadow.ActiveVersion });
        return (await activation.ActivateAsync(category, shadow.Version, cancellationToken)).ToResult(TypedResults.Ok);
    }

    /// <summary>A region shows inspections of the category that it takes its images from.</summary>
    private static async Task<Problem?> CheckSourceAsync(
        string category,
        Caller caller,
        CategoryStore categories,
        CancellationToken cancellationToken
    ) =>
        await categories.FindOtherSourceAsync(category, cancellationToken) is { } source && !caller.MaySee(source)
            ? Problems.CategoryForbidden(source)
            : null;
}
