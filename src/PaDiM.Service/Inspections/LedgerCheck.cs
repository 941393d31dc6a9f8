using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace PaDiM.Service.Inspections;

/// <summary>
/// Reports inspections that cannot be written. The service goes on scoring, so a balancer must not take it away.
/// </summary>
internal sealed class LedgerCheck(InspectionLedger ledger, InspectionImages images) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    ) =>
        Task.FromResult(
            ledger.Failure is { } failure
                ? HealthCheckResult.Degraded($"Inspections cannot be written ({ledger.Lost} are lost): {failure}")
            : images.Failure is { } lost ? HealthCheckResult.Degraded($"Images of inspections are not kept: {lost}")
            : HealthCheckResult.Healthy()
        );
}
