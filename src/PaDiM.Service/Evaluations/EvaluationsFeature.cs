using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Jobs;

namespace PaDiM.Service.Evaluations;

/// <summary>Evaluations: jobs that score labelled images and measure the model.</summary>
internal static class EvaluationsFeature
{
    public static IServiceCollection AddEvaluations(this IServiceCollection services) =>
        services
            .AddSingleton<EvaluationStore>()
            .AddSingleton<EvaluationJob>()
            .AddKeyedSingleton<JobHandler>(
                JobKind.Evaluation,
                (provider, _) => provider.GetRequiredService<EvaluationJob>().RunAsync
            );

    public static void MapEvaluations(this IEndpointRouteBuilder routes) =>
        routes.MapEvaluationEndpoints(routes.MapCategory());
}
