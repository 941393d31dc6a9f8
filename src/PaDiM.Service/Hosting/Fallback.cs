using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using PaDiM.Service.Models;
using PaDiM.Service.Roles;

namespace PaDiM.Service.Hosting;

/// <summary>Knows what a replica still does without something that all replicas share: it scores with what it holds.</summary>
internal sealed class Fallback(ModelCache cache, IOptions<RoleOptions> role)
{
    /// <summary>Gets the health of a replica that lacks something.</summary>
    /// <param name="fault">What it lacks, without a full stop.</param>
    /// <param name="exception">How it was noticed.</param>
    /// <param name="hasCopies">Whether models can be loaded without it.</param>
    public HealthCheckResult Without(string fault, Exception exception, bool hasCopies = false) =>
        role.Value.Scores && (hasCopies || cache.Count > 0)
            ? HealthCheckResult.Degraded(
                hasCopies
                    ? $"{fault}; models in memory and copied to this machine score."
                    : $"{fault}; models in memory score.",
                exception
            )
            : HealthCheckResult.Unhealthy($"{fault}.", exception);
}
