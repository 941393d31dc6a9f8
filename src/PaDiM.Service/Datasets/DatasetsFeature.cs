using PaDiM.Service.Categories;
using PaDiM.Service.Http;

namespace PaDiM.Service.Datasets;

/// <summary>Data sets as archives: all images of a category, and those that a model was fitted to.</summary>
internal static class DatasetsFeature
{
    public static IServiceCollection AddDatasets(this IServiceCollection services) =>
        services
            .AddPadimOptions<DatasetOptions>()
            .AddSingleton<DatasetReader>()
            .AddSingleton<DatasetWriter>()
            .AddSingleton<DatasetImport>();

    public static void MapDatasets(this IEndpointRouteBuilder routes)
    {
        routes.MapCategory().OfOwnImages().MapDataset();
        routes.MapCategory().MapModelSets();
    }
}
