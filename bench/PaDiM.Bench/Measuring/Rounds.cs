using System.Diagnostics;

namespace PaDiM.Bench.Measuring;

/// <summary>
/// Runs candidates in turn: a busy machine slows all of them alike, and what they are to each other stays.
/// </summary>
internal static class Rounds
{
    /// <summary>Code is compiled once more when it has run thirty times.</summary>
    private const int WarmUpRounds = 40;

    /// <summary>
    /// Each round runs every candidate once, in an order that is drawn anew: none always finds the caches as the same
    /// other left them.
    /// </summary>
    /// <param name="candidates">What to run.</param>
    /// <param name="duration">Rounds begin for so long, and at least three times.</param>
    /// <param name="warm">Called when the candidates have been warmed up.</param>
    /// <returns>Rounds that count.</returns>
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
