using System.Diagnostics;

namespace PaDiM.Bench.Measuring;

/// <summary>Runs candidates in turn: a busy machine slows all of them equally, so their ratios stay valid.</summary>
internal static class Rounds
{
    /// <summary>The tiered JIT recompiles code after thirty calls.</summary>
    private const int WarmUpRounds = 40;

    /// <summary>
    /// Runs rounds. Each round runs every candidate once, in a new random order, so none always runs after the same
    /// other one.
    /// </summary>
    /// <param name="candidates">The candidates.</param>
    /// <param name="duration">The time in which rounds are started; there are at least three.</param>
    /// <param name="warm">Called after the warm-up.</param>
    /// <returns>The number of measured rounds.</returns>
    public static int Run(IReadOnlyList<Candidate> candidates, TimeSpan duration, Action? warm = null)
    {
        var random = new Random(1);
        var order = candidates.ToArray();
        var warming = Stopwatch.StartNew();
        for (var round = 0; round < 3 || (round < WarmUpRounds && warming.Elapsed < duration / 4); round++)
            foreach (var candidate in order)
                candidate.Run(round);
        foreach (var candidate in candidates)
            candidate.Times.Clear();
        warm?.Invoke();
        var clock = Stopwatch.StartNew();
        var rounds = 0;
        for (; rounds < 3 || clock.Elapsed < duration; rounds++)
        {
            random.Shuffle(order);
            foreach (var candidate in order)
                candidate.Run(rounds);
        }
        return rounds;
    }
}
