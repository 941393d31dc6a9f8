using System.Globalization;

namespace PaDiM.Trials.Support;

/// <summary>
/// A control group (version 1 or 2) with less memory than the machine has, as a container's. Skips the trial where none
/// can be created.
/// </summary>
internal sealed class MemoryGroup : IDisposable
{
    private readonly string _folder;
    private readonly bool _isVersion1;

    private MemoryGroup(string folder, bool isVersion1)
    {
        _folder = folder;
        _isVersion1 = isVersion1;
    }

    /// <summary>The most memory that was in use, in bytes.</summary>
    public long Peak =>
        long.TryParse(
            Read(_isVersion1 ? "memory.max_usage_in_bytes" : "memory.peak"),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var peak
        )
            ? peak
            : 0;

    /// <summary>Runs the arguments that follow in the group.</summary>
    public string[] EnterCommand => ["sh", "-c", $"echo $$ > {_folder}/cgroup.procs && exec \"$@\"", "sh"];

    public static MemoryGroup Create(long bytes)
    {
        foreach (var (parent, isVersion1) in FindParents())
        {
            var folder = Path.Combine(parent, $"padim-trial-{Guid.NewGuid():N}");
            try
            {
                Directory.CreateDirectory(folder);
                var limit = Path.Combine(folder, isVersion1 ? "memory.limit_in_bytes" : "memory.max");
                if (File.Exists(limit))
                {
                    File.WriteAllText(limit, bytes.ToString(CultureInfo.InvariantCulture));
                    return new MemoryGroup(folder, isVersion1);
                }
                Directory.Delete(folder);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The next hierarchy may allow it.
            }
        }
        Assert.Skip("No control group can be created: it takes root and a writable /sys/fs/cgroup.");
        throw new InvalidOperationException();
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(_folder);
        }
        catch (IOException)
        {
            // Its last process is still ending.
        }
    }

    private string Read(string name)
    {
        var path = Path.Combine(_folder, name);
        return File.Exists(path) ? File.ReadAllText(path).Trim() : "";
    }

    private static IEnumerable<(string Folder, bool IsVersion1)> FindParents()
    {
        if (!File.Exists("/proc/self/cgroup"))
            yield break;
        foreach (var line in File.ReadLines("/proc/self/cgroup"))
        {
            var parts = line.Split(':', 3);
            if (parts[1].Split(',').Contains("memory"))
                yield return ($"/sys/fs/cgroup/memory{parts[2]}", true);
            // A group of version 2 with processes in it cannot limit groups below it.
            if (parts[1].Length == 0)
                yield return ("/sys/fs/cgroup", false);
        }
    }
}
