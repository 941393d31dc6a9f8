using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Engine;
using PaDiM.Engine.Inference;
using PaDiM.Service.Backbones;
using PaDiM.Service.Diagnostics;

namespace PaDiM.Service.Hosting;

/// <summary>
/// Tries the device after a run on it has failed: fits need it as much as scores. One that fails a small run of its own is
/// broken.
/// </summary>
internal sealed partial class DeviceCheck(
    DeviceWatch device,
    BackboneRegistry backbones,
    IOptions<BackboneOptions> options,
    ILogger<DeviceCheck> logger
) : IHealthCheck
{
    private const int Side = 256;

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        if (!device.IsSuspect)
            return HealthCheckResult.Healthy();
        try
        {
            await Task.Run(Try, cancellationToken);
            device.RecordSuccess();
            return HealthCheckResult.Healthy();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogBroken(e);
            return HealthCheckResult.Unhealthy("The device fails; the log has the failure.");
        }
    }

    private void Try()
    {
        var backbone = backbones.Open(options.Value.DefaultBackbone);
        var side = backbone.GetNearestSize(Side);
        var size = new Grid(side, side);
        using var features = backbone.Extract(
            new float[3 * size.Positions],
            1,
            size,
            ChannelReduction.Draw(ReductionMethod.SemiOrthogonal, backbone.TapChannels, 1, 0),
            ComputeContext.OnThreadPool(backbone.Runtime.Threads)
        );
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The device of the backbones is broken: a run to try it failed")]
    private partial void LogBroken(Exception exception);
}
