using System.Globalization;

namespace PaDiM.Trials.Support;

/// <summary>Memory of another process as Linux counts it.</summary>
internal sealed class ProcessMemory(int process)
{
    /// <summary>What it holds now, in bytes.</summary>
    public long Now => Read("VmRSS");

    /// <summary>The most that it has held since <see cref="Reset"/>, in bytes.</summary>
    public long Peak => Read("VmHWM");

    public void Reset() => File.WriteAllText($"/proc/{process}/clear_refs", "5");

    /// <summary>By how much it outgrew its size while something was done.</summary>
    public async Task<long> GrowthAsync(Func<Task> action)
    {
        var before = Now;
        Reset();
        await action();
        return Peak - before;
    }

    private long Read(string name) =>
        long.Parse(
            File.ReadLines($"/proc/{process}/status")
                .First(line => line.StartsWith(name, StringComparison.Ordinal))
                .Split(':', StringSplitOptions.TrimEntries)[1]
                .Split(' ')[0],
            CultureInfo.InvariantCulture
        ) << 10;
}
