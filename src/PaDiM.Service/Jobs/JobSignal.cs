namespace PaDiM.Service.Jobs;

/// <summary>
/// Wakes the workers of this process when a job is put into the queue; other processes find it at their next look.
/// </summary>
internal sealed class JobSignal
{
    private volatile TaskCompletionSource _waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Set() =>
        Interlocked
            .Exchange(ref _waiting, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))
            .TrySetResult();

    /// <summary>Returns after the next signal, or after the time at the latest.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await _waiting.Task.WaitAsync(atMost, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Time to look.
        }
    }
}
