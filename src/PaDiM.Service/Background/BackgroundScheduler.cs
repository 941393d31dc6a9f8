using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace PaDiM.Service.Background;

/// <summary>
/// The threads that jobs compute on, of the lowest priority: scoring comes first, and a fit gets what it leaves. Loops
/// that a job starts stay here, by <see cref="TaskScheduler.Current"/>. Linux gives a thread the policy of the one that
/// starts it: so nothing that starts threads for others (sessions of the backbone, the thread pool, libvips' own loops)
/// is called from here, and what was computed is told by a thread of the usual priority.
/// </summary>
internal sealed partial class BackgroundScheduler : TaskScheduler, IDisposable
{
    /// <summary>
    /// SCHED_IDLE of Linux: a processor that runs nothing else counts as free to whoever wakes there. Beside a thread
    /// of nice 19 it would count as taken, and scoring would wait elsewhere.
    /// </summary>
    private const int IdlePolicy = 5;

    /// <summary>Where the policy is refused.</summary>
    private const int LowestNice = 19;

    private readonly BlockingCollection<Task> _waiting = [];
    private readonly BlockingCollection<Action> _finished = [];
    private readonly int _count;
    private int _working;

    [ThreadStatic]
    private static BackgroundScheduler? _owner;

    /// <summary>Starts the threads.</summary>
    /// <param name="count">How many; work that waits for other work here holds one.</param>
    public BackgroundScheduler(int count)
    {
        _count = _working = count;
        Start("job news", Tell);
        for (var i = 0; i < count; i++)
            Start($"job {i}", Work);
    }

    public override int MaximumConcurrencyLevel => _count;

    /// <summary>Computes here.</summary>
    public Task<T> RunAsync<T>(Func<T> work)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task.Factory.StartNew(
            () => Compute(work, result),
            CancellationToken.None,
            TaskCreationOptions.DenyChildAttach,
            this
        );
        return result.Task;
    }

    /// <summary>Lets the threads end when they have done what waits.</summary>
    public void Dispose() => _waiting.CompleteAdding();

    protected override void QueueTask(Task task) => _waiting.Add(task);

    /// <summary>A thread that waits for work does it itself: loops within loops need no thread to be free.</summary>
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        _owner == this && TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks() => _waiting;

    private static void Start(string name, ThreadStart body) =>
        new Thread(body) { IsBackground = true, Name = name }.Start();

    private void Compute<T>(Func<T> work, TaskCompletionSource<T> result)
    {
        try
        {
            var value = work();
            _finished.Add(() => result.SetResult(value));
        }
        catch (Exception e)
        {
            _finished.Add(() => result.SetException(e));
        }
    }

    private void Work()
    {
        _owner = this;
        if (!OperatingSystem.IsLinux())
            Thread.CurrentThread.Priority = ThreadPriority.Lowest;
        else if (SetPolicy(0, IdlePolicy, 0) != 0)
            _ = SetPriority(0, 0, LowestNice);
        foreach (var task in _waiting.GetConsumingEnumerable())
            TryExecuteTask(task);
        if (Interlocked.Decrement(ref _working) == 0)
            _finished.CompleteAdding();
    }

    private void Tell()
    {
        foreach (var tell in _finished.GetConsumingEnumerable())
            tell();
    }

    /// <summary>
    /// Of the calling thread where <paramref name="thread"/> is 0; .NET's own setting has no effect on Linux.
    /// </summary>
    [LibraryImport("libc", EntryPoint = "sched_setscheduler")]
    private static partial int SetPolicy(int thread, int policy, in int priority);

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, uint who, int priority);
}
