namespace PaDiM.Backbones.Acquisition;

/// <summary>Limits each wait for a server. A server that does not answer in time counts as a lost connection.</summary>
/// <param name="timeout">The limit of one wait.</param>
/// <param name="time">The clock.</param>
/// <param name="stop">Cancels every wait.</param>
internal sealed class ResponseTimeout(TimeSpan timeout, TimeProvider time, CancellationToken stop) : IDisposable
{
    private readonly CancellationTokenSource _timeoutSource = new(Timeout.InfiniteTimeSpan, time);

    /// <summary>Waits for an answer.</summary>
    /// <exception cref="HttpRequestException">No answer arrived in time.</exception>
    public async Task<T> WaitAsync<T>(Func<CancellationToken, Task<T>> answer)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(_timeoutSource.Token, stop);
        _timeoutSource.CancelAfter(timeout);
        try
        {
            return await answer(linked.Token);
        }
        catch (OperationCanceledException e) when (!stop.IsCancellationRequested)
        {
            throw new HttpRequestException($"The server did not answer for {timeout.TotalSeconds:f0} s.", e);
        }
        finally
        {
            _timeoutSource.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose() => _timeoutSource.Dispose();
}
