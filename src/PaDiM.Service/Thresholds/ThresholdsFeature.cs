using PaDiM.Service.Categories;

namespace PaDiM.Service.Thresholds;

/// <summary>The threshold of a category: its value, its history, and previews of changes.</summary>
internal static class ThresholdsFeature
{
    public static IServiceCollection AddThresholds(this IServiceCollection services) =>
        services.AddSingleton<ThresholdStore>().AddSingleton<KnownPartStore>();

    public static void MapThresholds(this IEndpointRouteBuilder routes)
    {
        var category = routes.MapCategory();
        category.MapThreshold();
        category.MapThresholdPreview();
        category.MapThresholdProposal();
        category.MapThresholdScores();
    }
}
