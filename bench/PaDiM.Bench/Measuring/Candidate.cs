using System.Diagnostics;

namespace PaDiM.Bench.Measuring;

/// <summary>One of several things that are measured in turn.</summary>
/// <param name="name">What stands in the table.</param>
/// <param name="work">One run; is given the number of the round.</param>
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
