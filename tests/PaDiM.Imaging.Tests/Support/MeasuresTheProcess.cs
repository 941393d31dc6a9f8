using System.Diagnostics;
using System.Globalization;

namespace PaDiM.Imaging.Tests.Support;

/// <summary>The collection of tests that look at the whole process: nothing runs beside them.</summary>
[CollectionDefinition(nameof(MeasuresTheProcess), DisableParallelization = true)]
public sealed class MeasuresTheProcess
{
    private const string Status = "/proc/self/status",
        ClearPeak = "/proc/self/clear_refs";

    /// <summary>
    /// The most memory that the process has held at once, in bytes; on Linux since <see cref="ResetPeak"/>, the present
    /// size elsewhere.
    /// </summary>
    public static long Peak()
    {
        if (
            File.Exists(Status)
            && File.ReadLines(Status).FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
                is { } line
        )
            return long.Parse(
                    line.Split(':', StringSplitOptions.TrimEntries)[1].Split(' ')[0],
                    CultureInfo.InvariantCulture
                ) << 10;
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    public static void ResetPeak()
    {
        if (File.Exists(ClearPeak))
            File.WriteAllText(ClearPeak, "5");
    }
}
