using System.Reflection;

namespace PaDiM.Service.Diagnostics;

/// <summary>The version of the service.</summary>
internal static class ServiceVersion
{
    /// <summary>Gets the informational version of this assembly.</summary>
    public static string Current { get; } =
        typeof(ServiceVersion)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
            .InformationalVersion;
}
