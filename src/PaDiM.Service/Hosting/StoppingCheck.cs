using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace PaDiM.Service.Hosting;

/// <summary>Checks that the service is not about to stop.</summary>
internal sealed class StoppingCheck(Drain drain) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    ) =>
        Task.FromResult(
            drain.IsUnderWay ? HealthCheckResult.Unhealthy("The service is stopping.") : HealthCheckResult.Healthy()
        );
}
