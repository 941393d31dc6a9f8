using PaDiM.Service.Http;

namespace PaDiM.Service.Admission;

/// <summary>Admission: how many images are in progress at the same time.</summary>
internal static class AdmissionFeature
{
    public static IServiceCollection AddAdmission(this IServiceCollection services) =>
        services.AddPadimOptions<AdmissionOptions>();
}
