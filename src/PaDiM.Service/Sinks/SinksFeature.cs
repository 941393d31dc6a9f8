using PaDiM.Service.Access;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Http;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.Sinks;

/// <summary>Sinks: receivers of every inspection, outside the path of a score.</summary>
internal static class SinksFeature
{
    public static IServiceCollection AddSinks(this IServiceCollection services)
    {
        services.AddPadimOptions<SinkOptions>();
        services.AddSingleton<SinkStore>().AddSingleton<DeadLetterStore>().AddSingleton<SecretSeal>();
        services.AddSingleton<SinkMetrics>().AddSingleton<SinkTargets>().AddSingleton<SinkRegistry>();
        services.AddHostedService(provider => provider.GetRequiredService<SinkRegistry>());
        services.AddSingleton(provider => new InspectionObserver(
            provider.GetRequiredService<SinkRegistry>().TakeAsync
        ));
        services.AddHealthChecks().AddCheck<SinkCheck>("sinks", tags: [HealthTags.Ready]);
        return services;
    }

    public static void MapSinks(this IEndpointRouteBuilder routes)
    {
        var sinks = routes.MapGroup("/v1/sinks").WithTags("Sinks").Needs(AccessScope.Admin, everyCategory: true);
        sinks.MapSinkEndpoints();
        sinks.MapDeadLetters();
    }
}
