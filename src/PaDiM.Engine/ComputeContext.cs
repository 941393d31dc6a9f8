namespace PaDiM.Engine;

/// <summary>
/// Says where work is computed: on how many threads, on which scheduler, at which priority, and whether the calling
/// thread may be bound to a processor. The entry points of the engine take one, and pass it on. Immutable.
/// </summary>
public sealed class ComputeContext
{
    private ComputeContext(int threads, TaskScheduler scheduler, bool isBackground, bool bindsCaller)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
        Scheduler = scheduler;
        IsBackground = isBackground;
        BindsCaller = bindsCaller;
    }

    /// <summary>Gets the number of threads that a loop uses at most.</summary>
    public int Threads { get; }

    /// <summary>Gets the scheduler whose threads run the loops.</summary>
    public TaskScheduler Scheduler { get; }

    /// <summary>
    /// Gets whether this is work of low priority that must stay on the threads of <see cref="Scheduler"/>: ONNX
    /// Runtime's own threads have the usual priority and would compete with scoring.
    /// </summary>
    public bool IsBackground { get; }

    /// <summary>Gets whether an inference on one image may bind the calling thread to a processor.</summary>
    public bool BindsCaller { get; }

    /// <summary>Creates a context on the thread pool, at the usual priority.</summary>
    /// <param name="threads">Number of threads, at least 1.</param>
    /// <param name="bindsCaller">Whether an inference on one image may bind the calling thread to a processor, which
    /// saves wake-ups on another one. Must be false on the main thread of the process: .NET gives that thread's binding
    /// to every thread that it starts meanwhile.</param>
    public static ComputeContext OnThreadPool(int threads, bool bindsCaller = false) =>
        new(threads, TaskScheduler.Default, isBackground: false, bindsCaller);

    /// <summary>Creates a context for work of low priority on threads of its own.</summary>
    /// <param name="threads">Number of threads that a loop uses at most, at least 1.</param>
    /// <param name="scheduler">The owner of the threads. The work must be started on one of them.</param>
    public static ComputeContext InBackground(int threads, TaskScheduler scheduler) =>
        new(threads, scheduler, isBackground: true, bindsCaller: false);

    /// <summary>Creates the options of a loop.</summary>
    public ParallelOptions ToParallelOptions(CancellationToken cancellationToken = default) =>
        new()
        {
            MaxDegreeOfParallelism = Threads,
            TaskScheduler = Scheduler,
            CancellationToken = cancellationToken,
        };

    /// <summary>Starts work beside the caller's, on the same scheduler.</summary>
    internal Task<T> Start<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, Scheduler);
}
