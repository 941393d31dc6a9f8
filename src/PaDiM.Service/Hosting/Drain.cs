using Microsoft.Extensions.Options;

namespace PaDiM.Service.Hosting;

/// <summary>
/// Delays the shutdown after the stop signal. Readiness answers 503 at once, requests are served as before, and each
/// response closes its connection, so a load balancer that polls every few seconds has moved on when
/// <c>DrainSeconds</c> are over.
/// </summary>
internal sealed partial class Drain(
    IHostApplicationLifetime lifetime,
    Listeners listeners,
    IOptions<ServerOptions> options,
    TimeProvider time,
    ILogger<Drain> logger
) : IHostedLifecycleService
{
    /// <summary>Time for running requests to finish and for a job to be returned to the queue.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromSeconds(30);

    /// <summary>Time for connections that were opened last to be answered.</summary>
    private static readonly TimeSpan LastConnections = TimeSpan.FromSeconds(1);

    /// <summary>Gets whether the service is about to stop.</summary>
    public bool IsUnderWay => lifetime.ApplicationStopping.IsCancellationRequested;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        if (options.Value.DrainSeconds == 0)
            return;
        LogDraining(options.Value.DrainSeconds);
        await Task.Delay(TimeSpan.FromSeconds(options.Value.DrainSeconds), time, cancellationToken);
        listeners.StopOpening();
        await Task.Delay(LastConnections, time, cancellationToken);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Information, Message = "No longer ready; listening for another {Seconds} seconds")]
    private partial void LogDraining(int seconds);
}
