namespace PaDiM.Core;

/// <summary>Runs a body over positions or rows on several cores, in chunks; each index is visited once.</summary>
internal static class Partition
{
    /// <summary>Gets options for all cores, on the thread pool.</summary>
    public static ParallelOptions AllCores => new();

    /// <summary>Gets the number of indices that are visited at the same time.</summary>
    public static int Cores(ParallelOptions parallel) =>
        parallel.MaxDegreeOfParallelism > 0 ? parallel.MaxDegreeOfParallelism : Environment.ProcessorCount;

    /// <summary>Runs a body for every index from 0 to <paramref name="count"/> - 1.</summary>
    public static void Run(int count, ParallelOptions parallel, Action<int> body) =>
        Run(count, parallel, () => 0, (i, _) => body(i));

    /// <summary>
    /// Runs a body for every index, with a scratch value per worker, so that hot loops allocate nothing per index.
    /// </summary>
    public static void Run<TScratch>(
        int count,
        ParallelOptions parallel,
        Func<TScratch> scratch,
        Action<int, TScratch> body
    )
    {
        var cores = Cores(parallel);
        // Four chunks per core even out cores that are slower or busy.
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
        ParallelLoop.For(
            chunks,
            parallel,
            scratch,
            (c, own) =>
            {
                for (var i = c * chunk; i < Math.Min(count, (c + 1) * chunk); i++)
                    body(i, own);
            }
        );
    }
}
