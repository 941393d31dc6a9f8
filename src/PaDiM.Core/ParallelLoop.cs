namespace PaDiM.Core;

/// <summary>
/// Runs parallel loops that throw what their bodies throw, not an <see cref="AggregateException"/>. The only place
/// where one is caught.
/// </summary>
public static class ParallelLoop
{
    /// <summary>Runs a body for every index from 0 to <paramref name="count"/> - 1.</summary>
    /// <param name="count">Number of indices.</param>
    /// <param name="parallel">Degree of parallelism, scheduler and cancellation.</param>
    /// <param name="body">Called with each index once, on several threads.</param>
    /// <param name="isPreferred">Where several bodies fail, selects the exception to throw; null for the first.</param>
    public static void For(
        int count,
        ParallelOptions parallel,
        Action<int> body,
        Func<Exception, bool>? isPreferred = null
    )
    {
        try
        {
            Parallel.For(0, count, parallel, body);
        }
        catch (AggregateException e)
        {
            ParallelFaults.Rethrow(e, isPreferred);
        }
    }

    /// <summary>Runs a body for every index, with a scratch value per worker.</summary>
    internal static void For<TScratch>(
        int count,
        ParallelOptions parallel,
        Func<TScratch> createScratch,
        Action<int, TScratch> body
    )
    {
        try
        {
            Parallel.For(
                0,
                count,
                parallel,
                createScratch,
                (i, _, scratch) =>
                {
                    body(i, scratch);
                    return scratch;
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
