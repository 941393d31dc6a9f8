namespace PaDiM.TestSupport;

/// <summary>Counts the bytes that a thread allocates.</summary>
public static class Allocations
{
    private const int Rounds = 5;

    /// <summary>
    /// Counts the bytes that an action allocates on this thread: the least of several rounds, because a garbage
    /// collection during a round can add the rest of the memory that the thread had reserved.
    /// </summary>
    public static long Count(Action action)
    {
        action();
        return Enumerable
            .Range(0, Rounds)
            .Min(_ =>
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                action();
                return GC.GetAllocatedBytesForCurrentThread() - before;
            });
    }
}
