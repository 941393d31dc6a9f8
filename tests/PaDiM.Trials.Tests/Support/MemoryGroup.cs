using System.Globalization;
using PaDiM.Engine.Machine;

namespace PaDiM.Trials.Support;

/// <summary>
/// A control group (version 1 or 2) with less memory than the machine has, as a container's. Skips the trial where none
/// can be created.
/// </summary>
internal sealed class MemoryGroup : IDisposable
{
    private readonly string _folder;

    private MemoryGroup(string folder) => _folder = folder;

    /// <summary>The most memory that was in use, in bytes.</summary>
    public long Peak =>
        long.TryParse(
            Read("memory.max_usage_in_bytes") is { Length: > 0 } peakOfVersion1 ? peakOfVersion1 : Read("memory.peak"),
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
        // A group of version 2 with processes in it cannot limit groups below it, but the root can.
        foreach (
            var (parent, limitName) in ControlGroup
                .FindMemory("/")
                .SelectMany(group => new[] { (group.Path, group.FileName), (group.Mount, group.FileName) })
        )
        {
            var folder = Path.Combine(parent, $"padim-trial-{Guid.NewGuid():N}");
            try
            {
                Directory.CreateDirectory(folder);
                var limit = Path.Combine(folder, limitName);
                if (File.Exists(limit))
                {
                    File.WriteAllText(limit, bytes.ToString(CultureInfo.InvariantCulture));
                    return new MemoryGroup(folder);
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
}
