using Microsoft.Extensions.Options;
using PaDiM.Engine.Machine;
using PaDiM.Service.Http;

namespace PaDiM.Service.Memory;

/// <summary>Memory: how much the process may use, and for what.</summary>
internal static class MemoryFeature
{
    public static IServiceCollection AddMemory(this IServiceCollection services) =>
        services
            .AddPadimOptions<MemoryOptions>()
            .AddSingleton(provider =>
                MemoryPlan.Create(
                    MemoryLimit.Read(),
                    GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
                    provider.GetRequiredService<IOptions<MemoryOptions>>().Value
                )
            )
            .AddHostedService<MemoryReturn>();
}
