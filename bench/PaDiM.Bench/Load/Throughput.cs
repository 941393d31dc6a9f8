using PaDiM.Bench.Measuring;

namespace PaDiM.Bench.Load;

/// <summary>Collects requests at one concurrency, over several slices of time.</summary>
internal sealed class Throughput(int concurrency)
{
    public int Concurrency { get; } = concurrency;

    public Times Times { get; } = new();

    public double Seconds { get; set; }

    /// <summary>Gets or sets the CPU seconds of the load generator.</summary>
    public double ClientCpuSeconds { get; set; }

    /// <summary>Gets or sets the CPU seconds of the service.</summary>
    public double ServiceCpuSeconds { get; set; }

    public double PerSecond => Times.Count / Seconds;
}
