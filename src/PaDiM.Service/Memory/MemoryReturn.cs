using PaDiM.Engine.Machine;

namespace PaDiM.Service.Memory;

/// <summary>
/// Returns memory that is no longer used to the system, which neither the C library nor the garbage collector does by
/// itself: free native memory every few seconds while images come, and everything once none has come for a while.
/// </summary>
internal sealed class MemoryReturn(TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>Intervals without images after which everything is returned.</summary>
    private const int CalmIntervals = 2;

    /// <summary>Bytes that are allocated within an interval where images come.</summary>
    private const long Busy = 16 << 20;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        var (allocated, calm, isUsed) = (0L, 0, false);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var before = allocated;
                allocated = GC.GetTotalAllocatedBytes();
                if (allocated - before > Busy)
                {
                    (calm, isUsed) = (0, true);
                    NativeHeap.Trim();
                }
                else if (isUsed && ++calm == CalmIntervals)
                {
                    isUsed = false;
                    ReturnAll();
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process is stopping.
        }
    }

    /// <summary>Collects and compacts, which stops everything for some ten milliseconds, while nothing goes on.</summary>
    private static void ReturnAll()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        NativeHeap.Trim();
    }
}
