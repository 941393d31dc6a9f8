using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using PaDiM.Engine;

namespace PaDiM.Service.Background;

/// <summary>
/// Owns the threads that jobs compute on. They have the lowest priority, so that scoring comes first and jobs use the
/// time that it leaves.
/// </summary>
/// <remarks>
/// On Linux a new thread inherits the policy of the thread that starts it. Work on these threads therefore must not
/// start threads for others (sessions of the backbone, the thread pool, the loops of libvips), and a thread of the
/// usual priority completes the task of <see cref="RunAsync"/>, because its continuations may start threads.
/// </remarks>
internal sealed partial class BackgroundScheduler : TaskScheduler, IDisposable
{
    /// <summary>
    /// SCHED_IDLE of Linux: a processor that runs only such a thread counts as idle when another thread wakes up. With
    /// a thread of nice 19 it would count as busy, and a thread that scores would wait for another processor.
    /// </summary>
    private const int IdlePolicy = 5;

    /// <summary>The nice value of the threads where Linux refuses the policy.</summary>
    private const int LowestNice = 19;

    private readonly BlockingCollection<Task> _waiting = [];
    private readonly BlockingCollection<Action> _finished = [];
    private readonly int _count;
    private int _working;

    [ThreadStatic]
    private static BackgroundScheduler? _owner;

    /// <summary>Starts the threads.</summary>
    /// <param name="count">Number of threads; work that waits for other work here occupies one.</param>
    public BackgroundScheduler(int count)
    {
        _count = _working = count;
        Start("job news", CompleteTasks);
        for (var i = 0; i < count; i++)
            Start($"job {i}", Work);
    }

    public override int MaximumConcurrencyLevel => _count;

    /// <summary>
    /// Creates the context with which work that <see cref="RunAsync"/> started computes on these threads.
    /// </summary>
    /// <param name="threads">Number of threads that a loop uses at most.</param>
    public ComputeContext CreateContext(int threads) => ComputeContext.InBackground(threads, this);

    /// <summary>Runs work on one of the threads.</summary>
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

    /// <summary>
    /// Waits on one of the threads for work that a thread of the pool does. A thread of the usual priority gives it to
    /// the pool, see the remarks.
    /// </summary>
    public T WaitFor<T>(Func<Task<T>> work)
    {
        var given = new TaskCompletionSource<Task<T>>();
        _finished.Add(() => given.SetResult(Task.Run(work)));
        return given.Task.GetAwaiter().GetResult().GetAwaiter().GetResult();
    }

    /// <summary>Ends the threads when the queue is empty.</summary>
    public void Dispose() => _waiting.CompleteAdding();

    protected override void QueueTask(Task task) => _waiting.Add(task);

    /// <summary>
    /// Lets a thread that waits for work run it itself, so that nested loops never need a free thread.
    /// </summary>
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

    private void CompleteTasks()
    {
        foreach (var complete in _finished.GetConsumingEnumerable())
            complete();
    }

    /// <summary>
    /// Sets the policy of a thread; 0 is the calling thread. .NET's own setting has no effect on Linux.
    /// </summary>
    [LibraryImport("libc", EntryPoint = "sched_setscheduler")]
    private static partial int SetPolicy(int thread, int policy, in int priority);

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, uint who, int priority);
}
