namespace PaDiM.Service.Background;

/// <summary>Work that a service does at its start and again and again until it stops.</summary>
internal static class Periodically
{
    /// <summary>Works once, and then after each interval. What fails is told and tried again the next time.</summary>
    /// <param name="interval">From one beginning to the next.</param>
    /// <param name="time">The clock.</param>
    /// <param name="work">What is done.</param>
    /// <param name="tell">Told what it failed of.</param>
    /// <param name="stoppingToken">Ends it, without an exception.</param>
    public static async Task RunAsync(
        TimeSpan interval,
        TimeProvider time,
        Func<CancellationToken, Task> work,
        Action<Exception> tell,
        CancellationToken stoppingToken
    )
    {
        using var timer = new PeriodicTimer(interval, time);
        try
        {
            do
            {
                try
                {
                    await work(stoppingToken);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    tell(e);
                }
            } while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process stops.
        }
    }
}
