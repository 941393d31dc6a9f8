using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.InteropServices;

namespace PaDiM.Engine.Inference;

/// <summary>
/// Binds the threads of an inference to a processor each. A thread that is free to run anywhere is often woken on the
/// processor of the one that wakes it, above all on virtual machines and after a pause; two of them then share one
/// while the other idles, and an inference takes twice as long. Only where the process may use exactly as many
/// processors as it has threads: among more of them the system finds room by itself. As a scheduler it has a thread on
/// each processor but the first, which belongs to the caller that is bound: for the kernels around a lone inference,
/// which would be over before the pool's threads had spread. Thread-safe.
/// </summary>
internal sealed partial class AffinityScheduler : TaskScheduler
{
    private static readonly Lazy<AffinityScheduler?> ForProcess = new(() =>
        OperatingSystem.IsLinux() && GetAffinity(0, sizeof(ulong), out var mask) == 0
            ? new AffinityScheduler(mask)
            : null
    );

    private readonly ulong _processors;
    private readonly Lazy<BlockingCollection<Task>> _waiting;
    private int _isBound;

    private AffinityScheduler(ulong all)
    {
        _processors = all;
        _waiting = new(StartThreads);
    }

    /// <inheritdoc/>
    public override int MaximumConcurrencyLevel => BitOperations.PopCount(_processors);

    /// <summary>
    /// The processors of this process; null where they are not as many as threads, or the system does not tell (it does
    /// on Linux).
    /// </summary>
    public static AffinityScheduler? FindForThreads(int threads) =>
        threads > 1 && ForProcess.Value is { } processors && processors.MaximumConcurrencyLevel == threads
            ? processors
            : null;

    /// <summary>
    /// All but the first, as ONNX Runtime wants to be told them for its workers: counted from 1, a group each.
    /// </summary>
    public string WorkerProcessors =>
        string.Join(';', Enumerable.Range(0, 64).Where(i => (_processors >> i & 1) != 0).Skip(1).Select(i => i + 1));

    /// <summary>
    /// Keeps the calling thread on the first, where no worker is, until disposed. One thread at a time: others that
    /// infer meanwhile stay free. The main thread stays free as well, for the runtime gives its binding to threads that
    /// it starts.
    /// </summary>
    public Binding BindCaller()
    {
        if (Environment.CurrentManagedThreadId == 1 || Interlocked.Exchange(ref _isBound, 1) != 0)
            return default;
        BindTo(_processors & (~_processors + 1));
        return new Binding(this);
    }

    /// <inheritdoc/>
    protected override void QueueTask(Task task) => _waiting.Value.Add(task);

    /// <summary>The caller takes part.</summary>
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
        BindTo(_processors);
        Volatile.Write(ref _isBound, 0);
    }

    private static void BindTo(ulong processors) => _ = SetAffinity(0, sizeof(ulong), ref processors);

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    private static partial int GetAffinity(int thread, nuint size, out ulong mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nuint size, ref ulong mask);

    /// <summary>A thread that is bound, or was left free.</summary>
    internal readonly struct Binding(AffinityScheduler? owner) : IDisposable
    {
        /// <summary>Where loops of the bound thread run; null for the scheduler that it has.</summary>
        public TaskScheduler? Scheduler => owner;

        /// <summary>Lets the thread go.</summary>
        public void Dispose() => owner?.Release();
    }
}
