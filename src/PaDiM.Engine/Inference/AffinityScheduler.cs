using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.InteropServices;

namespace PaDiM.Engine.Inference;

/// <summary>
/// Binds each thread of an inference to a processor of its own. Linux often wakes an unbound thread on the processor of
/// the thread that wakes it, above all on virtual machines and after a pause. Two threads then share one processor
/// while another idles, and an inference takes twice as long. Used only where the process may run on exactly as many
/// processors as it has threads: with more processors, Linux finds free ones by itself.
/// </summary>
/// <remarks>
/// As a scheduler it runs one thread on each processor except the first, which belongs to the bound caller. It runs the
/// kernels around a lone inference, which would be over before the thread pool's threads had spread out. Thread-safe.
/// <para>The processors of a process may change while it runs (taskset, a container's CPU set). Nothing is bound then:
/// threads stay where the system put them.</para>
/// </remarks>
internal sealed partial class AffinityScheduler : TaskScheduler
{
    private static readonly Lazy<AffinityScheduler?> ForProcess = new(() =>
        OperatingSystem.IsLinux() && GetProcessors(MainThread) is var mask and not 0
            ? new AffinityScheduler(mask)
            : null
    );

    private const int CallingThread = 0;

    private static readonly int MainThread = Environment.ProcessId;

    private readonly ulong _processors;
    private readonly Lazy<BlockingCollection<Task>> _waiting;
    private int _isBound;

    private AffinityScheduler(ulong processors)
    {
        _processors = processors;
        _waiting = new(StartThreads);
    }

    /// <inheritdoc/>
    public override int MaximumConcurrencyLevel => BitOperations.PopCount(_processors);

    /// <summary>
    /// Finds the scheduler of this process; null unless the process may run on exactly <paramref name="threads"/>
    /// processors, at least two, and runs on Linux.
    /// </summary>
    public static AffinityScheduler? FindForThreads(int threads) =>
        threads > 1
        && ForProcess.Value is { HasItsProcessors: true } scheduler
        && scheduler.MaximumConcurrencyLevel == threads
            ? scheduler
            : null;

    /// <summary>Gets whether the process may still run on the processors that it started with.</summary>
    /// <remarks>The main thread tells: it is bound only in programs that infer on it.</remarks>
    public bool HasItsProcessors => GetProcessors(MainThread) == _processors;

    /// <summary>
    /// Gets all processors except the first, in the form of ONNX Runtime's option for thread affinities: counted from
    /// 1, one group per worker.
    /// </summary>
    public string WorkerProcessors =>
        string.Join(';', Enumerable.Range(0, 64).Where(i => (_processors >> i & 1) != 0).Skip(1).Select(i => i + 1));

    /// <summary>
    /// Binds the calling thread to the first processor, which no worker uses, until the result is disposed. Binds one
    /// thread at a time: the others that infer meanwhile stay free.
    /// </summary>
    public Binding BindCaller()
    {
        if (!HasItsProcessors || Interlocked.Exchange(ref _isBound, 1) != 0)
            return default;
        BindTo(First);
        return new Binding(this);
    }

    private ulong First => _processors & (~_processors + 1);

    /// <inheritdoc/>
    protected override void QueueTask(Task task) => _waiting.Value.Add(task);

    /// <summary>Lets the caller of a loop take part in it.</summary>
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => TryExecuteTask(task);

    /// <inheritdoc/>
    protected override IEnumerable<Task> GetScheduledTasks() => _waiting.Value;

    private BlockingCollection<Task> StartThreads()
    {
        var tasks = new BlockingCollection<Task>();
        for (var rest = _processors & (_processors - 1); rest != 0; rest &= rest - 1)
        {
            var processor = rest & (~rest + 1);
            new Thread(() =>
            {
                BindTo(processor);
                foreach (var task in tasks.GetConsumingEnumerable())
                    TryExecuteTask(task);
            })
            {
                IsBackground = true,
                Name = $"kernels {BitOperations.TrailingZeroCount(processor)}",
            }.Start();
        }
        return tasks;
    }

    private void Release()
    {
        // A thread that was moved meanwhile stays where it is.
        if (GetProcessors(CallingThread) == First)
            BindTo(GetThreadId() == MainThread ? _processors : GetProcessors(MainThread));
        Volatile.Write(ref _isBound, 0);
    }

    /// <summary>Gets the processors that a thread may run on; 0 if the machine has more than 64.</summary>
    private static ulong GetProcessors(int thread) => GetAffinity(thread, sizeof(ulong), out var mask) == 0 ? mask : 0;

    private static void BindTo(ulong processors) => _ = SetAffinity(0, sizeof(ulong), ref processors);

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int GetThreadId();

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    private static partial int GetAffinity(int thread, nuint size, out ulong mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nuint size, ref ulong mask);

    /// <summary>Represents the binding of the calling thread; the default value binds nothing.</summary>
    internal readonly struct Binding(AffinityScheduler? owner) : IDisposable
    {
        /// <summary>Gets the scheduler for the loops of the bound thread; null if the thread is not bound.</summary>
        public TaskScheduler? Scheduler => owner;

        /// <summary>Frees the thread.</summary>
        public void Dispose() => owner?.Release();
    }
}
