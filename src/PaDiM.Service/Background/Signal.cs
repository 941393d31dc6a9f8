namespace PaDiM.Service.Background;

/// <summary>Wakes whatever waits for it. What does not wait at that moment misses it, and polls.</summary>
internal class Signal
{
    private volatile TaskCompletionSource _waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Gets a task that ends with the next signal.</summary>
    public Task Next => _waiting.Task;

    public void Set() =>
        Interlocked
            .Exchange(ref _waiting, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))
            .TrySetResult();

    /// <summary>Waits for the next signal, or for the given time at most.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await Next.WaitAsync(atMost, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The caller polls.
        }
    }
}
