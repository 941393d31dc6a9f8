namespace PaDiM.Service.Images;

/// <summary>
/// Lets as many images be decoded or drawn at a time as there are cores: each takes a core and, for a large image, hundreds of megabytes. Of those that wait, the
/// urgent ones go first.
/// </summary>
internal sealed class DecodingGate
{
    private readonly Lock gate = new();
    private readonly LinkedList<TaskCompletionSource> urgent = [], patient = [];
    private int free = Environment.ProcessorCount;

    /// <summary>Runs work when its turn comes.</summary>
    /// <param name="work">Takes a core.</param>
    /// <param name="isUrgent">A production line waits for it.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public async Task<T> RunAsync<T>(Func<T> work, bool isUrgent, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Enter(isUrgent ? urgent : patient) is { } turn) await WaitAsync(turn, cancellationToken);
        try
        {
            return work();
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>A place in the queue; null where nobody has to wait.</summary>
    private LinkedListNode<TaskCompletionSource>? Enter(LinkedList<TaskCompletionSource> queue)
    {
        lock (gate)
        {
            if (free == 0) return queue.AddLast(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            free--;
            return null;
        }
    }

    private async Task WaitAsync(LinkedListNode<TaskCompletionSource> turn, CancellationToken cancellationToken)
    {
        try
        {
            await turn.Value.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            GiveUp(turn);
            throw;
        }
    }

    private void GiveUp(LinkedListNode<TaskCompletionSource> turn)
    {
        lock (gate)
        {
            if (turn.List is { } queue)
            {
                queue.Remove(turn);
                return;
            }
        }
        // Its turn came at the same moment.
        Leave();
    }

    private void Leave()
    {
        lock (gate)
        {
            if ((urgent.First ?? patient.First) is not { } next)
            {
                free++;
                return;
            }
            next.List!.Remove(next);
            next.Value.SetResult();
        }
    }
}
