using PaDiM.Service.Categories;

namespace PaDiM.Service.Models;

/// <summary>Model versions: their files, the active one of each category, and the cache in memory.</summary>
internal static class ModelsFeature
{
    public static IServiceCollection AddModels(this IServiceCollection services) =>
        services
            .AddSingleton<DamagedModels>()
            .AddSingleton<ModelFiles>()
            .AddSingleton<ModelStore>()
            .AddSingleton<ModelActivation>()
            .AddSingleton<ModelDrafts>()
            .AddSingleton<ModelCache>()
            .AddSingleton<DriftMonitor>()
            .AddSingleton<ModelMetrics>()
            .AddSingleton<RegionIndex>()
            .AddSingleton<ModelRegistry>()
            .AddSingleton<PartRegistry>()
            .AddHostedService(provider => provider.GetRequiredService<ModelRegistry>())
            .AddSingleton(CreateObserver);

    public static void MapModels(this IEndpointRouteBuilder routes)
    {
        var category = routes.MapCategory();
        category.MapModelEndpoints();
        category.MapPrefetch();
    }

    /// <summary>
    /// A change of a category counts at once on the replica that made it; others follow its revision.
    /// </summary>
    private static CategoryObserver CreateObserver(IServiceProvider provider)
    {
        var registry = provider.GetRequiredService<ModelRegistry>();
        return new CategoryObserver(
            category => registry.RefreshAsync(category, CancellationToken.None),
            registry.RemoveAsync
        );
    }
}
