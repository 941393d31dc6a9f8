using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace PaDiM.Service.Jobs;

/// <summary>
/// The threads that jobs run on, of the lowest priority: scoring comes first, and a fit gets what it leaves. What a job starts (loops, continuations) stays here, by
/// <see cref="TaskScheduler.Current"/>. As everything else runs on the thread pool, no thread ever has to be given its priority back, which Linux would refuse.
/// </summary>
internal sealed partial class JobThreads : TaskScheduler, IDisposable
{
    /// <summary>The least that Linux gives to a thread: about a sixtieth of what another one gets that wants the same processor.</summary>
    private const int LowestNice = 19;

    private readonly BlockingCollection<Task> waiting = [];
    private readonly Thread[] threads;

    [ThreadStatic]
    private static JobThreads? owner;

    /// <summary>Starts the threads.</summary>
    /// <param name="count">How many; work that waits for other work here holds one.</param>
    public JobThreads(int count)
    {
        threads = [.. Enumerable.Range(0, count).Select(i => new Thread(Work) { IsBackground = true, Name = $"job {i}" })];
        Array.ForEach(threads, thread => thread.Start());
    }

    public override int MaximumConcurrencyLevel => threads.Length;

    /// <summary>Runs a job's work here, with all that follows of it.</summary>
    public Task RunAsync(Func<Task> work) => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this).Unwrap();

    /// <summary>Lets the threads end when they have done what waits.</summary>
    public void Dispose() => waiting.CompleteAdding();

    protected override void QueueTask(Task task) => waiting.Add(task);

    /// <summary>A thread that waits for work does it itself: loops within loops need no thread to be free.</summary>
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => owner == this && TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks() => waiting;

    private void Work()
    {
        owner = this;
        if (OperatingSystem.IsLinux()) _ = SetPriority(0, 0, LowestNice);
        else Thread.CurrentThread.Priority = ThreadPriority.Lowest;
        foreach (var task in waiting.GetConsumingEnumerable()) TryExecuteTask(task);
    }

    /// <summary>On Linux a thread is what has a priority; .NET's own setting has no effect there.</summary>
    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, uint who, int priority);
}
