using PaDiM.Service.Access;
using PaDiM.Service.Http;

namespace PaDiM.Service.Categories;

/// <summary>Categories: the products that are inspected, and their settings.</summary>
internal static class CategoriesFeature
{
    public static IServiceCollection AddCategories(this IServiceCollection services) =>
        services.AddSingleton<CategoryStore>().AddSingleton<SettingsResolver>();

    public static void MapCategories(this IEndpointRouteBuilder routes)
    {
        routes.MapGroup("/v1/categories").Needs(AccessScope.Train).MapCategoryList();
        routes.MapCategory().MapCategoryEndpoints();
    }

    /// <summary>Creates a group of routes below one category; a name that no category can have is refused.</summary>
    public static RouteGroupBuilder MapCategory(this IEndpointRouteBuilder routes) =>
        routes.MapGroup("/v1/categories/{category}").Needs(AccessScope.Train).AddEndpointFilter(CategoryName.Filter);
}
