using PaDiM.Service.Categories;
using PaDiM.Service.Http;

namespace PaDiM.Service.Scoring;

/// <summary>Scoring: one image or a batch, with the active model of a category.</summary>
internal static class ScoringFeature
{
    public static IServiceCollection AddScoring(this IServiceCollection services) =>
        services
            .AddPadimOptions<ScoringOptions>()
            .AddSingleton<ScoreService>()
            .AddSingleton<BatchScorer>()
            .AddSingleton<ScoreMetrics>()
            .AddSingleton<ScoreTally>()
            .AddSingleton<InspectionFeed>()
            .AddSingleton<ScorePreparation>()
            .AddSingleton<ScoreBatcher>()
            .AddSingleton<ScoreDrawing>()
            .AddSingleton<SideBySideScorer>()
            .AddSingleton<TileScorer>();

    public static void MapScoring(this IEndpointRouteBuilder routes) => routes.MapCategory().MapScoreEndpoints();
}
