using PaDiM.Service.Http;

namespace PaDiM.Service.Maintenance;

/// <summary>Maintenance of stored files: scrubs, and the removal of files that nothing refers to.</summary>
internal static class MaintenanceFeature
{
    public static IServiceCollection AddMaintenance(this IServiceCollection services) =>
        services
            .AddPadimOptions<MaintenanceOptions>()
            .AddSingleton<OrphanSweeper>()
            .AddHostedService(provider => provider.GetRequiredService<OrphanSweeper>())
            .AddSingleton<Duties>()
            .AddSingleton<Scrub>()
            .AddSingleton<Scrubber>()
            .AddHostedService(provider => provider.GetRequiredService<Scrubber>());

    public static void MapMaintenance(this IEndpointRouteBuilder routes) => routes.MapScrub();
}
