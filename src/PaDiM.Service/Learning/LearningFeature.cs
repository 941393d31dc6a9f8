using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Jobs;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.Learning;

/// <summary>What people do with verdicts: learn good parts, and try candidates beside the line.</summary>
internal static class LearningFeature
{
    public static IServiceCollection AddLearning(this IServiceCollection services) =>
        services
            .AddPadimOptions<ShadowOptions>()
            .AddSingleton<LearntImages>()
            .AddSingleton<CandidateFits>()
            .AddSingleton<QuietScorer>()
            .AddSingleton<ShadowMetrics>()
            .AddSingleton<ShadowLedger>()
            .AddSingleton<ShadowStore>()
            .AddSingleton<ShadowScorer>()
            .AddSingleton<LookbackStore>()
            .AddSingleton<LookbackJob>()
            .AddKeyedSingleton<JobHandler>(
                JobKind.Lookback,
                (provider, _) => provider.GetRequiredService<LookbackJob>().RunAsync
            )
            .AddHostedService(provider => provider.GetRequiredService<ShadowScorer>())
            .AddSingleton(provider => new InspectionObserver(provider.GetRequiredService<ShadowScorer>().AddAsync))
            .AddSingleton(provider => new CategoryObserver(
                _ => Task.CompletedTask,
                category => provider.GetRequiredService<ShadowLedger>().DeleteAsync(category, CancellationToken.None)
            ));

    public static void MapLearning(this IEndpointRouteBuilder routes)
    {
        var category = routes.MapCategory();
        category.MapLearn();
        category.MapShadow();
        routes.MapLookbacks(category);
    }
}
