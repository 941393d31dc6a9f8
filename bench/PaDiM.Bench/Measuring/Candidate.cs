using System.Diagnostics;

namespace PaDiM.Bench.Measuring;

/// <summary>Represents one of several candidates that are measured in turn.</summary>
/// <param name="name">The name in the table.</param>
/// <param name="work">One run; it receives the number of the round.</param>
internal sealed class Candidate(string name, Action<int> work)
{
    public string Name { get; } = name;

    public Times Times { get; } = new();

    public void Run(int round)
    {
        var clock = Stopwatch.StartNew();
        work(round);
        Times.Add(clock.Elapsed.TotalMilliseconds);
    }
}
