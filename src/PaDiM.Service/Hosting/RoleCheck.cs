using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using PaDiM.Service.Roles;

namespace PaDiM.Service.Hosting;

/// <summary>Checks that the replica scores at all.</summary>
internal sealed class RoleCheck(IOptions<RoleOptions> role) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    ) =>
        Task.FromResult(
            role.Value.Scores
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy("The replica runs jobs and does not score.")
        );
}
