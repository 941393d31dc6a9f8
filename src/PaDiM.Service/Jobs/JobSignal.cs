namespace PaDiM.Service.Jobs;

/// <summary>Wakes the workers of this process when a job is enqueued; other processes find it by polling.</summary>
internal sealed class JobSignal
{
    private volatile TaskCompletionSource _waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Set() =>
        Interlocked
            .Exchange(ref _waiting, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))
            .TrySetResult();

    /// <summary>Waits for the next signal, or for the given time at most.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await _waiting.Task.WaitAsync(atMost, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The caller polls.
        }
    }
}
