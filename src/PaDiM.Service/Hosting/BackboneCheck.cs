using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using PaDiM.Engine.Inference;
using PaDiM.Service.Backbones;

namespace PaDiM.Service.Hosting;

/// <summary>Checks that the default backbone is open.</summary>
internal sealed class BackboneCheck(BackboneRegistry backbones, IOptions<BackboneOptions> options) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        try
        {
            backbones.Open(options.Value.DefaultBackbone);
            return Task.FromResult(HealthCheckResult.Healthy());
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidDataException)
        {
            return Task.FromResult(HealthCheckResult.Unhealthy(e.Message));
        }
    }
}
