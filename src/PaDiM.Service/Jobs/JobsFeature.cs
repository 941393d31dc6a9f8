using Microsoft.Extensions.Options;
using PaDiM.Engine.Inference;
using PaDiM.Service.Background;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Roles;

namespace PaDiM.Service.Jobs;

/// <summary>The job queue: its table, its workers and its events.</summary>
internal static class JobsFeature
{
    public static IServiceCollection AddJobs(this IServiceCollection services) =>
        services
            .AddPadimOptions<JobOptions>()
            .AddSingleton<JobStore>()
            .AddSingleton(CreateLeases)
            .AddSingleton<JobStarter>()
            .AddSingleton<JobSignal>()
            .AddSingleton<SuccessNotices>()
            .AddSingleton<JobMetrics>()
            .AddSingleton<EventStreams>()
            .AddSingleton(CreateScheduler)
            .AddHostedService<JobWorker>();

    public static void MapJobs(this IEndpointRouteBuilder routes) => routes.MapJobEndpoints();

    private static IJobLeases CreateLeases(IServiceProvider provider) =>
        provider.GetRequiredService<IOptions<DataOptions>>().Value.Database.Provider == DatabaseProvider.PostgreSql
            ? ActivatorUtilities.CreateInstance<PostgresLeases>(provider)
            : ActivatorUtilities.CreateInstance<WatchedLeases>(provider);

    /// <summary>
    /// A job runs two loops at a time, one that decodes and one that embeds, and one thread waits for both.
    /// </summary>
    private static BackgroundScheduler CreateScheduler(IServiceProvider provider) =>
        new(
            provider.GetRequiredService<IOptions<RoleOptions>>().Value.Workers
                * (2 * provider.GetRequiredService<BackboneRuntime>().Threads + 1)
        );
}
