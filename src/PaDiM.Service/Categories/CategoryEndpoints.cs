using System.Text.Json;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Options;
using PaDiM.Service.Access;
using PaDiM.Service.Http;

namespace PaDiM.Service.Categories;

/// <summary><c>/v1/categories</c>: products to inspect.</summary>
internal static class CategoryEndpoints
{
    public static void MapCategoryList(this RouteGroupBuilder categories) =>
        categories
            .MapGet("", ListAsync)
            .Needs(AccessScope.Score)
            .WithTags("Categories")
            .WithName("ListCategories")
            .WithSummary("Lists categories by name")
            .Produces<Page<CategoryResponse>>();

    public static void MapCategoryEndpoints(this RouteGroupBuilder category)
    {
        var one = category.MapGroup("").WithTags("Categories");
        one.MapPut("", PutAsync)
            .Audited("category.put")
            .WithName("PutCategory")
            .WithSummary("Creates or updates a category")
            .WithDescription(
                "Omitted values take the profile's defaults. New settings apply from the next fit; the "
                    + "active model keeps its own. Only falseRejectRate, reviewRate and pinned apply at once, "
                    + "including their defaults if omitted. With imagesOf, the category takes the images of another, "
                    + "as a region of interest of the same photographs: scoring that category scores this one too."
            )
            .Produces<CategoryResponse>()
            .Produces<CategoryResponse>(StatusCodes.Status201Created);
        one.MapPatch("", PatchAsync)
            .Audited("category.patch")
            .WithName("PatchCategory")
            .WithSummary("Changes some settings of a category")
            .WithDescription(
                "A JSON merge patch (RFC 7396): changes what it names and nothing else; null resets a setting to "
                    + "its default. Of two changes at the same time, both count. New settings apply as for PUT: "
                    + "falseRejectRate, reviewRate and pinned at once, all others from the next fit."
            )
            .Accepts<CategoryRequest>(MergePatch.MediaType, "application/json")
            .Produces<CategoryResponse>();
        one.MapGet("", GetAsync)
            .Needs(AccessScope.Score)
            .WithName("GetCategory")
            .WithSummary("Gets a category")
            .Produces<CategoryResponse>();
        one.MapDelete("", DeleteAsync)
            .Needs(AccessScope.Admin)
            .Audited("category.delete")
            .WithName("DeleteCategory")
            .WithSummary("Deletes a category with its images, models and jobs")
            .Produces(StatusCodes.Status204NoContent);
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
        Caller caller,
        CategoryStore store,
        SettingsResolver resolver,
        IEnumerable<CategoryObserver> observers,
        CancellationToken cancellationToken,
        CategoryRequest? request = null
    )
    {
        request ??= new CategoryRequest();
        context.AddAuditDetail(request);
        if (request.ImagesOf is { } source && !caller.MaySee(source))
            return Problems.CategoryForbidden(source);
        if (!resolver.Resolve(request).Succeeded(out var resolved, out var problem))
            return problem;
        if (
            !(
                await store.PutAsync(
                    category,
                    new CategoryValues(resolved.Settings, resolved.FalseRejectRate, request.Pinned),
                    context.User.Identity?.Name ?? Caller.AnonymousName,
                    cancellationToken
                )
            ).Succeeded(out var put, out problem)
        )
            return problem;
        var (described, created) = put;
        AuditValues(context, described);
        if (created)
            return TypedResults.Created($"/v1/categories/{category}", described);
        await ReportChangeAsync(described, observers);
        return TypedResults.Ok(described);
    }

    private static async Task<IResult> PatchAsync(
        string category,
        JsonElement body,
        HttpContext context,
        CategoryStore store,
        SettingsResolver resolver,
        IOptions<JsonOptions> json,
        IEnumerable<CategoryObserver> observers,
        CancellationToken cancellationToken
    )
    {
        context.AddAuditDetail(body);
        var patch = new CategoryPatch(body, resolver, json.Value.SerializerOptions);
        if (
            !(
                await store.ChangeAsync(
                    category,
                    patch.ApplyTo,
                    context.User.Identity?.Name ?? Caller.AnonymousName,
                    cancellationToken
                )
            ).Succeeded(out var described, out var problem)
        )
            return problem;
        AuditValues(context, described);
        await ReportChangeAsync(described, observers);
        return TypedResults.Ok(described);
    }

    /// <summary>Adds what was stored to the audit entry.</summary>
    private static void AuditValues(HttpContext context, CategoryResponse described) =>
        context.AddAuditDetail(
            new
            {
                described.ImagesOf,
                described.Backbone,
                described.Profile,
                described.ImageSize,
                described.ImageWidth,
                described.ImageHeight,
                described.Aspect,
                described.CropSize,
                described.Tiles,
                described.Reduction,
                described.LocalAverage,
                described.Epsilon,
                described.RelativeRidge,
                described.QuietExponent,
                described.BlurSigma,
                described.ImageScore,
                described.Shrinkage,
                described.Alignment,
                described.SignificantBits,
                described.Region,
                described.FalseRejectRate,
                described.ReviewRate,
                described.RefuseOn,
                described.Pinned,
            }
        );

    private static async Task ReportChangeAsync(CategoryResponse described, IEnumerable<CategoryObserver> observers)
    {
        if (described.ActiveModelVersion is not null)
            foreach (var observer in observers)
                await observer.Changed(described.Name);
    }

    private static async Task<IResult> GetAsync(
        string category,
        CategoryStore store,
        CancellationToken cancellationToken
    ) => (await store.GetAsync(category, cancellationToken)).ToResult(TypedResults.Ok);

    private static async Task<IResult> DeleteAsync(
        string category,
        CategoryStore store,
        IEnumerable<CategoryObserver> observers,
        CancellationToken cancellationToken
    )
    {
        if (await store.DeleteAsync(category, cancellationToken) is { } problem)
            return problem;
        foreach (var observer in observers)
            await observer.Deleted(category);
        return TypedResults.NoContent();
    }
}
