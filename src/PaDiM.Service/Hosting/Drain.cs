using Microsoft.Extensions.Options;

namespace PaDiM.Service.Hosting;

/// <summary>
/// The time between the signal to stop and the end of listening: readiness says 503 at once, everything is answered as
/// before, each answer closes its connection, and a load balancer that looks every few seconds has left by itself when
/// the last of <c>DrainSeconds</c> is over.
/// </summary>
internal sealed partial class Drain(
    IHostApplicationLifetime lifetime,
    IOptions<ServerOptions> options,
    TimeProvider time,
    ILogger<Drain> logger
) : IHostedLifecycleService
{
    /// <summary>For requests that are under way when the time is over, and a job to be given back.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromSeconds(30);

    /// <summary>Whether the service is about to stop.</summary>
    public bool IsUnderWay => lifetime.ApplicationStopping.IsCancellationRequested;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        if (options.Value.DrainSeconds == 0)
            return;
        LogDraining(options.Value.DrainSeconds);
        await Task.Delay(TimeSpan.FromSeconds(options.Value.DrainSeconds), time, cancellationToken);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Information, Message = "Not ready any more; listening for {Seconds} more seconds")]
    private partial void LogDraining(int seconds);
}
