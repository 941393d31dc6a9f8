namespace PaDiM.Core;

/// <summary>Runs a body over positions or rows on several cores; each index is visited once.</summary>
internal static class Partition
{
    /// <summary>All cores, on the threads of the caller's scheduler.</summary>
    public static ParallelOptions AllCores { get; } = new() { TaskScheduler = null };

    /// <summary>How many indices are visited at a time.</summary>
    public static int Cores(ParallelOptions parallel) =>
        parallel.MaxDegreeOfParallelism > 0 ? parallel.MaxDegreeOfParallelism : Environment.ProcessorCount;

    public static void Run(int count, ParallelOptions parallel, Action<int> body) =>
        Run(count, parallel, () => 0, (i, _) => body(i));

    /// <summary>As above with a scratch value for each worker, so that hot loops allocate nothing an index.</summary>
    public static void Run<TScratch>(
        int count,
        ParallelOptions parallel,
        Func<TScratch> scratch,
        Action<int, TScratch> body
    )
    {
        var cores = Cores(parallel);
        var chunk = Math.Max(1, count / (4 * cores));
        var chunks = (count + chunk - 1) / chunk;
        if (cores == 1 || chunks == 1)
        {
            parallel.CancellationToken.ThrowIfCancellationRequested();
            var own = scratch();
            for (var i = 0; i < count; i++)
                body(i, own);
            return;
        }
        try
        {
            Parallel.For(
                0,
                chunks,
                parallel,
                scratch,
                (c, _, own) =>
                {
                    for (var i = c * chunk; i < Math.Min(count, (c + 1) * chunk); i++)
                        body(i, own);
                    return own;
                },
                _ => { }
            );
        }
        catch (AggregateException e)
        {
            ParallelFaults.Rethrow(e);
        }
    }
}
