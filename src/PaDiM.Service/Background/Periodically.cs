namespace PaDiM.Service.Background;

/// <summary>Runs work at start-up and at an interval until the service stops.</summary>
internal static class Periodically
{
    /// <summary>
    /// Runs the work at once and then at every interval, and earlier when it is woken. Failures are reported and retried.
    /// </summary>
    /// <param name="interval">Time from one start to the next.</param>
    /// <param name="time">The clock.</param>
    /// <param name="work">The work.</param>
    /// <param name="onError">Receives the exception of a failed run.</param>
    /// <param name="stoppingToken">Ends the loop without an exception.</param>
    /// <param name="wake">Starts the work between two intervals.</param>
    public static async Task RunAsync(
        TimeSpan interval,
        TimeProvider time,
        Func<CancellationToken, Task> work,
        Action<Exception> onError,
        CancellationToken stoppingToken,
        Signal? wake = null
    )
    {
        using var timer = new PeriodicTimer(interval, time);
        Task tick = timer.WaitForNextTickAsync(stoppingToken).AsTask();
        try
        {
            for (; ; )
            {
                var woken = wake?.Next;
                try
                {
                    await work(stoppingToken);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    onError(e);
                }
                if (woken is null)
                    await tick;
                else
                    await Task.WhenAny(tick, woken);
                stoppingToken.ThrowIfCancellationRequested();
                if (tick.IsCompleted)
                    tick = timer.WaitForNextTickAsync(stoppingToken).AsTask();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process is stopping.
        }
    }
}
