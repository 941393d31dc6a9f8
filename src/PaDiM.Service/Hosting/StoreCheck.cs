using Microsoft.Extensions.Diagnostics.HealthChecks;
using PaDiM.Service.Objects;

namespace PaDiM.Service.Hosting;

/// <summary>Asks the store of images and models.</summary>
internal sealed class StoreCheck(IObjectStore objects, Fallback fallback) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        try
        {
            await objects.CheckAsync().WaitAsync(HealthEndpoints.Patience, cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return fallback.Without("The object store does not respond", e, objects.HasCopies);
        }
    }
}
