using System.Globalization;

namespace PaDiM.Engine.Machine;

/// <summary>
/// The memory that this process may use: the machine's, or less where a control group limits it, as in a container. A
/// process that uses more than its control group allows is killed by the kernel.
/// </summary>
/// <param name="Bytes">Number of bytes.</param>
/// <param name="Source">What sets the limit, for people: a file of the control group, or <c>physical memory</c>.</param>
public sealed record MemoryLimit(long Bytes, string Source)
{
    private const string PhysicalMemory = "physical memory";

    /// <summary>Reads the limit of this process. On systems other than Linux it is what the runtime reports.</summary>
    public static MemoryLimit Read() => Read("/", GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);

    /// <summary>Reads the limit below a root folder.</summary>
    /// <param name="root">What stands for <c>/</c>.</param>
    /// <param name="fallback">The limit where the system does not report its memory, in bytes.</param>
    internal static MemoryLimit Read(string root, long fallback)
    {
        var physical = new MemoryLimit(ReadPhysicalMemory(root) ?? fallback, PhysicalMemory);
        return ControlGroup
            .FindMemory(root)
            .SelectMany(group => group.ReadLimits())
            .Select(limit => new MemoryLimit(limit.Value, limit.File))
            .Append(physical)
            // The first of equal limits: the group nearest to the process.
            .MinBy(limit => limit.Bytes)!;
    }

    private static long? ReadPhysicalMemory(string root)
    {
        var path = Path.Combine(root, "proc/meminfo");
        if (!File.Exists(path))
            return null;
        var total = File.ReadLines(path).FirstOrDefault(line => line.StartsWith("MemTotal:", StringComparison.Ordinal));
        return
            total?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var kibibytes, ..]
            && long.TryParse(kibibytes, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value << 10
            : null;
    }
}
