using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace PaDiM.Service.Sinks;

/// <summary>Names the sinks that do not deliver. A replica without them scores as before, so it stays ready.</summary>
internal sealed class SinkCheck(SinkRegistry sinks) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        var away = sinks
            .Workers.Where(worker => worker.Delivery.Circuit != SinkCircuit.Closed)
            .Select(worker => worker.Name)
            .ToArray();
        return Task.FromResult(
            away.Length == 0
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Degraded($"not delivered: {string.Join(", ", away)}; scores go on.")
        );
    }
}
