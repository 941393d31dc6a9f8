using Microsoft.Extensions.Options;
using PaDiM.Engine.Inference;
using PaDiM.Service.Http;
using PaDiM.Service.Memory;

namespace PaDiM.Service.Admission;

/// <summary>Admission: how many images are in progress at the same time, and which of them goes first.</summary>
internal static class AdmissionFeature
{
    public static IServiceCollection AddAdmission(this IServiceCollection services) =>
        services.AddPadimOptions<AdmissionOptions>().AddSingleton(CreateAdmission).AddSingleton<BodyMemory>();

    private static ImageAdmission CreateAdmission(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<AdmissionOptions>>().Value;
        var runtime = provider.GetRequiredService<BackboneRuntime>();
        return new ImageAdmission(
            new AdmissionLimits(
                options.QueueCapacity,
                runtime.Threads,
                provider.GetRequiredService<MemoryPlan>().Decoding.Bytes
            ),
            provider.GetRequiredService<TimeProvider>()
        );
    }
}
