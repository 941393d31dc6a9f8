using PaDiM.Engine.Fitting;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Jobs;

namespace PaDiM.Service.Fitting;

/// <summary>Fits: jobs that turn the images of a category into a model.</summary>
internal static class FittingFeature
{
    public static IServiceCollection AddFitting(this IServiceCollection services) =>
        services
            .AddSingleton(provider => new EmbeddingStore(
                provider.GetRequiredService<DataDirectory>().Embeddings,
                provider.GetRequiredService<TimeProvider>()
            ))
            .AddSingleton<FitPace>()
            .AddSingleton<FitPlanner>()
            .AddSingleton<PriorFits>()
            .AddSingleton<FitJob>()
            .AddKeyedSingleton<JobHandler>(
                JobKind.Fit,
                (provider, _) => provider.GetRequiredService<FitJob>().RunAsync
            );

    public static void MapFitting(this IEndpointRouteBuilder routes) => routes.MapCategory().MapFits();
}
