using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace PaDiM.Service.Tests.Support;

/// <summary>Meters that are not read.</summary>
internal static class Meters
{
    public static IMeterFactory Create() =>
        new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();
}
