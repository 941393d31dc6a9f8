using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace PaDiM.Service.MqttCommands;

/// <summary>Says why no commands arrive. A replica without them scores over HTTP as before, so it stays ready.</summary>
internal sealed class MqttCommandCheck(MqttCommandListener listener) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    ) =>
        Task.FromResult(
            listener.Fault is { } fault
                ? HealthCheckResult.Degraded($"no commands from the broker: {fault}")
                : HealthCheckResult.Healthy()
        );
}
