using System.Collections.Concurrent;
using System.Globalization;
using PaDiM.Service.Jobs;

namespace PaDiM.Service.Tests;

public sealed class JobThreadTests
{
    [Fact]
    public async Task What_a_job_starts_stays_on_threads_of_the_lowest_priority()
    {
        using var threads = new JobThreads(3);
        var seen = new ConcurrentBag<(string? Thread, int? Nice)>();
        await threads.RunAsync(async () =>
        {
            Note();
            await Task.Yield();
            Note();
            await Task.Delay(1);
            Note();
            Parallel.For(0, 100, new ParallelOptions { TaskScheduler = null }, _ => Note());
        });
        Assert.All(seen, noted => Assert.StartsWith("job ", noted.Thread, StringComparison.Ordinal));
        if (OperatingSystem.IsLinux()) Assert.All(seen, noted => Assert.Equal(19, noted.Nice));

        void Note() => seen.Add((Thread.CurrentThread.Name, OperatingSystem.IsLinux() ? Nice() : null));
    }

    [Fact]
    public async Task Everything_else_keeps_its_priority()
    {
        using var threads = new JobThreads(1);
        await threads.RunAsync(() => Task.CompletedTask);
        if (OperatingSystem.IsLinux()) Assert.NotEqual(19, await Task.Run(Nice));
    }

    [Fact]
    public async Task Loops_within_loops_end_even_on_one_thread()
    {
        using var threads = new JobThreads(1);
        var sum = 0;
        await threads.RunAsync(() =>
        {
            Parallel.For(0, 10, new ParallelOptions { TaskScheduler = null, MaxDegreeOfParallelism = 4 }, _ =>
                Parallel.For(0, 10, new ParallelOptions { TaskScheduler = null, MaxDegreeOfParallelism = 4 }, _ => Interlocked.Increment(ref sum)));
            return Task.CompletedTask;
        });
        Assert.Equal(100, sum);
    }

    [Fact]
    public async Task A_failure_reaches_whoever_waits()
    {
        using var threads = new JobThreads(1);
        await Assert.ThrowsAsync<InvalidOperationException>(() => threads.RunAsync(() => throw new InvalidOperationException()));
        await Assert.ThrowsAsync<InvalidOperationException>(() => threads.RunAsync(async () =>
        {
            await Task.Yield();
            throw new InvalidOperationException();
        }));
    }

    /// <summary>Of the calling thread, as the kernel tells it.</summary>
    private static int Nice()
    {
        var stat = File.ReadAllText("/proc/thread-self/stat");
        return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[16], CultureInfo.InvariantCulture);
    }
}
