namespace PaDiM.Backbones.Acquisition;

/// <summary>Waits for a server for so long and no longer; silence counts as a cut connection.</summary>
/// <param name="patience">How long one wait may take.</param>
/// <param name="time">Measures it.</param>
/// <param name="stop">Stops every wait.</param>
internal sealed class ResponseTimeout(TimeSpan patience, TimeProvider time, CancellationToken stop) : IDisposable
{
    private readonly CancellationTokenSource _timeoutSource = new(Timeout.InfiniteTimeSpan, time);

    /// <summary>Waits for an answer.</summary>
    /// <exception cref="HttpRequestException">None came in time.</exception>
    public async Task<T> WaitAsync<T>(Func<CancellationToken, Task<T>> answer)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(_timeoutSource.Token, stop);
        _timeoutSource.CancelAfter(patience);
        try
        {
            return await answer(linked.Token);
        }
        catch (OperationCanceledException e) when (!stop.IsCancellationRequested)
        {
            throw new HttpRequestException($"The server has been silent for {patience.TotalSeconds:f0} s.", e);
        }
        finally
        {
            _timeoutSource.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose() => _timeoutSource.Dispose();
}
