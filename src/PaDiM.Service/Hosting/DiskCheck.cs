using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using PaDiM.Service.Data;
using PaDiM.Service.Roles;

namespace PaDiM.Service.Hosting;

/// <summary>
/// Checks the disk. Scoring needs no room on it, so a replica that scores is ready with a full one; one that only runs
/// jobs has nothing left to do.
/// </summary>
internal sealed class DiskCheck(DiskSpace disk, IOptions<RoleOptions> role) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        var isFull = disk.ValidateFreeSpace() is not null;
        return Task.FromResult(
            isFull && !role.Value.Scores
                ? HealthCheckResult.Unhealthy("The disk is nearly full (MinFreeBytes): no job can run.")
                : HealthCheckResult.Healthy(
                    isFull ? "the disk is nearly full (MinFreeBytes): scores go on, nothing new is stored." : null
                )
        );
    }
}
