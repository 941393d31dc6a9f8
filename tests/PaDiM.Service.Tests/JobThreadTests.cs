using System.Collections.Concurrent;
using System.Globalization;
using PaDiM.Service.Background;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

public sealed class JobThreadTests
{
    /// <summary>SCHED_IDLE.</summary>
    private const int IdlePolicy = 5;

    [Fact]
    public async Task What_a_job_starts_stays_on_threads_of_the_lowest_priority()
    {
        using var threads = new BackgroundScheduler(3);
        var seen = new ConcurrentBag<(string? Thread, int? Policy)>();
        await threads.RunAsync(() =>
        {
            Note();
            Task.Factory.StartNew(Note, CancellationToken.None, TaskCreationOptions.None, TaskScheduler.Current).Wait();
            return Parallel.For(0, 100, new ParallelOptions { TaskScheduler = null }, _ => Note());
        });
        Assert.All(seen, noted => Assert.StartsWith("job ", noted.Thread, StringComparison.Ordinal));
        if (OperatingSystem.IsLinux())
            Assert.All(seen, noted => Assert.Equal(IdlePolicy, noted.Policy));

        void Note() =>
            seen.Add((Thread.CurrentThread.Name, OperatingSystem.IsLinux() ? Policy("/proc/thread-self") : null));
    }

    [Fact]
    public async Task No_other_thread_gets_their_priority()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("Priorities of threads are read from /proc.");
        using var data = new TempDirectory();
        await using var service = await ServiceProcess.StartAsync(data.Path, ("Threads", 2));
        // Its first user is the fit, which opens it.
        var category = new CategoryClient(service.Http, "other-backbone");
        await category.CreateFittedAsync(
            6,
            new
            {
                backbone = "tiny-int8",
                imageSize = 64,
                reduction = new { dimensions = 16 },
            }
        );
        for (var i = 0; i < 3; i++)
            await Task.WhenAll(Enumerable.Range(0, 8).Select(seed => category.ScoreAsync(Parts.Good(seed))));
        await (
            await category.UploadAsync(
                new[] { "png", "jpeg", "tiff", "webp" }.Select(
                    (format, i) => ($"part.{format}", Parts.Encoded(100 + i, format))
                )
            )
        ).JsonAsync(200);
        await category.FitAsync(new { incremental = false });
        var idle = Directory
            .GetDirectories($"/proc/{service.Id}/task")
            .Where(task => Policy(task) == IdlePolicy)
            .Select(task => File.ReadAllText($"{task}/comm").Trim())
            .ToArray();
        // For each worker two loops of two threads, and one that waits for them.
        Assert.Equal(5, idle.Count(name => name.StartsWith("job ", StringComparison.Ordinal)));
        // The compiler's own thread starts with the first method that needs it.
        Assert.DoesNotContain(
            idle,
            name =>
                !name.StartsWith("job ", StringComparison.Ordinal)
                && !name.StartsWith(".NET Tiered", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Loops_within_loops_end_even_on_one_thread()
    {
        using var threads = new BackgroundScheduler(1);
        var sum = 0;
        await threads.RunAsync(() =>
            Parallel.For(
                0,
                10,
                new ParallelOptions { TaskScheduler = null, MaxDegreeOfParallelism = 4 },
                _ =>
                    Parallel.For(
                        0,
                        10,
                        new ParallelOptions { TaskScheduler = null, MaxDegreeOfParallelism = 4 },
                        _ => Interlocked.Increment(ref sum)
                    )
            )
        );
        Assert.Equal(100, sum);
    }

    [Fact]
    public async Task A_failure_reaches_the_waiting_caller()
    {
        using var threads = new BackgroundScheduler(1);
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            threads.RunAsync<int>(() => throw new InvalidOperationException())
        );
        await Assert.ThrowsAsync<OperationCanceledException>(() =>
            threads.RunAsync<int>(() => throw new OperationCanceledException())
        );
        Assert.Equal(3, await threads.RunAsync(() => 3));
    }

    /// <summary>Of a thread, as the kernel tells it.</summary>
    private static int Policy(string thread)
    {
        var stat = File.ReadAllText($"{thread}/stat");
        return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[38], CultureInfo.InvariantCulture);
    }
}
