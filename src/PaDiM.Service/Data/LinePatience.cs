namespace PaDiM.Service.Data;

/// <summary>
/// How long requests that can go on with what is in memory wait for the database: a second, and then not at all for a
/// while, so that a line does not wait with every image. A server that vanishes without a word answers nothing for as
/// long as the time-out of a command. Thread-safe.
/// </summary>
internal sealed class LinePatience(TimeProvider time)
{
    internal static readonly TimeSpan Wait = TimeSpan.FromSeconds(1),
        Rest = TimeSpan.FromSeconds(2);

    private Spent? _spent;

    /// <summary>Gets whether a request has just waited in vain.</summary>
    public bool IsSpent => Volatile.Read(ref _spent) is { } spent && time.GetElapsedTime(spent.At) < Rest;

    /// <summary>Waits until the database has been asked. Returns false if that takes too long.</summary>
    public async ValueTask<bool> WaitAsync(Task work, CancellationToken cancellationToken)
    {
        if (work.IsCompleted)
            return true;
        if (IsSpent)
            return false;
        using (var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
        {
            await Task.WhenAny(work, Task.Delay(Wait, time, enough.Token));
            await enough.CancelAsync();
        }
        cancellationToken.ThrowIfCancellationRequested();
        if (work.IsCompleted)
            return true;
        Volatile.Write(ref _spent, new Spent(time.GetTimestamp()));
        return false;
    }

    private sealed record Spent(long At);
}
