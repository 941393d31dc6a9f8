using Microsoft.Extensions.Options;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Inference;
using PaDiM.Service.Http;

namespace PaDiM.Service.Backbones;

/// <summary>Backbones: the device, the sessions that are open, and the list of known backbones.</summary>
internal static class BackbonesFeature
{
    public static IServiceCollection AddBackbones(this IServiceCollection services) =>
        services
            .AddPadimOptions<BackboneOptions>()
            .AddSingleton(provider =>
            {
                var options = provider.GetRequiredService<IOptions<BackboneOptions>>().Value;
                return BackboneRuntime.Create(options.Device, options.Threads, options.TensorRt);
            })
            .AddSingleton(provider => new BackboneRegistry(
                provider.GetRequiredService<IOptions<BackboneOptions>>().Value.BackboneDirectories,
                provider.GetRequiredService<BackboneRuntime>()
            ))
            .AddSingleton(provider => new BackboneListing(
                provider.GetRequiredService<BackboneRegistry>().Directories,
                BackboneCatalogue.Known
            ));

    public static void MapBackbones(this IEndpointRouteBuilder routes) => routes.MapBackboneEndpoints();
}
