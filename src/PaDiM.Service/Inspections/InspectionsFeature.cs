using PaDiM.Service.Categories;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Http;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.Inspections;

/// <summary>The ledger: what was inspected, for how long it is kept, and what it says about the line.</summary>
internal static class InspectionsFeature
{
    public static IServiceCollection AddInspections(this IServiceCollection services)
    {
        services.AddHealthChecks().AddCheck<LedgerCheck>("inspections", tags: [HealthTags.Ready]);
        // They end in the reverse order: images follow their rows.
        return services
            .AddPadimOptions<InspectionOptions>()
            .AddSingleton<LedgerMetrics>()
            .AddSingleton<InspectionStore>()
            .AddSingleton<InspectionImages>()
            .AddHostedService(provider => provider.GetRequiredService<InspectionImages>())
            .AddSingleton<InspectionLedger>()
            .AddHostedService(provider => provider.GetRequiredService<InspectionLedger>())
            .AddSingleton<RetentionTime>()
            .AddSingleton<InspectionRetention>()
            .AddHostedService(provider => provider.GetRequiredService<InspectionRetention>())
            .AddSingleton<InspectionHeatmaps>()
            .AddSingleton<InspectionFigures>()
            .AddSingleton<VerdictFigures>()
            .AddSingleton<InspectionExport>()
            .AddSingleton(provider => new InspectionObserver(provider.GetRequiredService<InspectionLedger>().AddAsync))
            .AddSingleton(CreateCategoryObserver);
    }

    public static void MapInspections(this IEndpointRouteBuilder routes) => routes.MapInspectionEndpoints();

    /// <summary>What a category kept goes with it.</summary>
    private static CategoryObserver CreateCategoryObserver(IServiceProvider provider)
    {
        var store = provider.GetRequiredService<InspectionStore>();
        var ledger = provider.GetRequiredService<InspectionLedger>();
        return new CategoryObserver(
            _ => Task.CompletedTask,
            async category =>
            {
                await ledger.FlushAsync(CancellationToken.None);
                if (await store.FindLastKeyAsync(category, CancellationToken.None) is { } last)
                    await store.DeleteAsync(category, part: null, last + 1, CancellationToken.None);
            }
        );
    }
}
