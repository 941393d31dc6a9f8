using PaDiM.Service.Http;

namespace PaDiM.Service.Categories;

/// <summary>
/// Refuses requests for the images of a category that takes those of another: they are read and changed there, by
/// callers that may see that category.
/// </summary>
internal static class OwnImages
{
    /// <summary>Restricts routes to categories with images of their own.</summary>
    public static RouteGroupBuilder OfOwnImages(this RouteGroupBuilder category)
    {
        category.AddEndpointFilter(
            async (context, next) =>
                context.HttpContext.GetRouteValue("category") is string name
                && await context
                    .HttpContext.RequestServices.GetRequiredService<CategoryStore>()
                    .FindOtherSourceAsync(name, context.HttpContext.RequestAborted)
                    is { } source
                    ? Problems.ImagesElsewhere(name, source)
                    : await next(context)
        );
        return category;
    }
}
