using System.Numerics;
using System.Runtime.InteropServices;

namespace PaDiM.Onnx.Backbones;

/// <summary>
/// Binds the threads of an inference to a processor each. A thread that is free to run anywhere is often woken on the processor of the one that wakes it, above all
/// on virtual machines and after a pause; two of them then share one while the other idles, and an inference takes twice as long. Only where the process may use
/// exactly as many processors as it has threads: among more of them the system finds room by itself. Thread-safe.
/// </summary>
internal sealed partial class Processors
{
    private readonly ulong all;
    private int isBound;

    private Processors(ulong all) => this.all = all;

    /// <summary>The processors of this process; null where they are not as many as threads, or the system does not tell (it does on Linux).</summary>
    public static Processors? ForThreads(int threads) =>
        OperatingSystem.IsLinux() && threads > 1 && GetAffinity(0, sizeof(ulong), out var mask) == 0 && BitOperations.PopCount(mask) == threads ? new Processors(mask) : null;

    /// <summary>All but the first, as ONNX Runtime wants to be told them for its workers: counted from 1, a group each.</summary>
    public string Workers => string.Join(';', Enumerable.Range(0, 64).Where(i => (all >> i & 1) != 0).Skip(1).Select(i => i + 1));

    /// <summary>
    /// Keeps the calling thread on the first, where no worker is, until disposed. One thread at a time: others that infer meanwhile stay free. The main thread stays
    /// free as well, for the runtime gives its binding to threads that it starts.
    /// </summary>
    public Binding BindCaller()
    {
        if (Environment.CurrentManagedThreadId == 1 || Interlocked.Exchange(ref isBound, 1) != 0) return default;
        var first = all & (~all + 1);
        _ = SetAffinity(0, sizeof(ulong), ref first);
        return new Binding(this);
    }

    private void Release()
    {
        var mask = all;
        _ = SetAffinity(0, sizeof(ulong), ref mask);
        Volatile.Write(ref isBound, 0);
    }

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    private static partial int GetAffinity(int thread, nuint size, out ulong mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nuint size, ref ulong mask);

    /// <summary>A thread that is bound, or was left free.</summary>
    internal readonly struct Binding(Processors? owner) : IDisposable
    {
        /// <summary>Lets the thread go.</summary>
        public void Dispose() => owner?.Release();
    }
}
