using System.Diagnostics;

namespace PaDiM.Service.Images;

/// <summary>
/// Lets as many images be decoded or drawn at a time as there are cores: each takes a core and, for a large image,
/// hundreds of megabytes. Of those that wait, the urgent ones go first.
/// </summary>
internal sealed class DecodingGate
{
    /// <summary>
    /// A line that sent an image so long ago is at work, and a job that has images to read pauses so long before each.
    /// </summary>
    private static readonly TimeSpan LineAtWork = TimeSpan.FromMilliseconds(250),
        Pause = TimeSpan.FromMilliseconds(200);

    private readonly Lock _gate = new();
    private readonly LinkedList<TaskCompletionSource> _urgent = [],
        _patient = [];
    private int _free = Environment.ProcessorCount;
    private long _lastOfLine = Stopwatch.GetTimestamp() - Stopwatch.Frequency;

    /// <summary>Runs work when its turn comes.</summary>
    /// <param name="work">Takes a core.</param>
    /// <param name="isUrgent">A production line waits for it.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public Task<T> RunAsync<T>(Func<T> work, bool isUrgent, CancellationToken cancellationToken) =>
        RunAsync(_ => ValueTask.FromResult(work()), isUrgent, cancellationToken);

    /// <summary>
    /// Runs work when its turn comes, that may have to wait for something else than a core meanwhile.
    /// </summary>
    /// <param name="work">Takes a core. It is given what waits for a task without one: others have it until the task
    /// ends, and then this work's turn comes again.</param>
    /// <param name="isUrgent">A production line waits for it.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public async Task<T> RunAsync<T>(
        Func<Func<Task, Task>, ValueTask<T>> work,
        bool isUrgent,
        CancellationToken cancellationToken
    )
    {
        await EnterAsync(isUrgent, cancellationToken);
        var inside = true;
        try
        {
            return await work(AsideAsync);
        }
        finally
        {
            if (inside)
                Leave();
        }

        async Task AsideAsync(Task waiting)
        {
            inside = false;
            Leave();
            await waiting.WaitAsync(cancellationToken);
            await EnterAsync(isUrgent, cancellationToken);
            inside = true;
        }
    }

    /// <summary>
    /// Holds a job's thread up before it reads an image, while a production line is at work. Of the lowest priority it
    /// takes no processor from the line, but shares caches and the way to memory with it: so it works in few bursts,
    /// and most images of the line meet none. It never waits for the line to end.
    /// </summary>
    public void GiveWay(CancellationToken cancellationToken)
    {
        if (Stopwatch.GetElapsedTime(Volatile.Read(ref _lastOfLine)) < LineAtWork)
            cancellationToken.WaitHandle.WaitOne(Pause);
    }

    private Task EnterAsync(bool isUrgent, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (isUrgent)
            Volatile.Write(ref _lastOfLine, Stopwatch.GetTimestamp());
        return Enter(isUrgent ? _urgent : _patient) is { } turn
            ? WaitAsync(turn, cancellationToken)
            : Task.CompletedTask;
    }

    /// <summary>A place in the queue; null where nobody has to wait.</summary>
    private LinkedListNode<TaskCompletionSource>? Enter(LinkedList<TaskCompletionSource> queue)
    {
        lock (_gate)
        {
            if (_free == 0)
                return queue.AddLast(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            _free--;
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
        lock (_gate)
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
        lock (_gate)
        {
            if ((_urgent.First ?? _patient.First) is not { } next)
            {
                _free++;
                return;
            }
            next.List!.Remove(next);
            next.Value.SetResult();
        }
    }
}
