namespace PaDiM.Trials.Support;

/// <summary>
/// A control group (version 1 or 2) with fewer processors than the machine has, or only a share of them, as a
/// container's. Skips the trial where none can be created.
/// </summary>
internal sealed class ProcessorGroup : IDisposable
{
    private const string Root = "/sys/fs/cgroup";
    private readonly string _folder;

    private ProcessorGroup(string folder) => _folder = folder;

    /// <summary>Runs the arguments that follow in the group.</summary>
    public string[] EnterCommand => ["sh", "-c", $"echo $$ > {_folder}/cgroup.procs && exec \"$@\"", "sh"];

    /// <summary>Creates a group that may use so much of the processors' time: 1.5 for one and a half.</summary>
    public static ProcessorGroup CreateQuota(double processors) =>
        Create(
            "cpu",
            group =>
            {
                var microseconds = FormattableString.Invariant($"{(int)(100_000 * processors)}");
                var ofVersion1 = Path.Combine(group._folder, "cpu.cfs_quota_us");
                if (File.Exists(ofVersion1))
                    File.WriteAllText(ofVersion1, microseconds);
                else
                    group.Write("cpu.max", $"{microseconds} 100000");
            }
        );

    /// <summary>Creates a group that may use these processors, such as <c>2-3</c>.</summary>
    public static ProcessorGroup CreateSet(string processors) =>
        Create(
            "cpuset",
            group =>
            {
                // Version 1 takes no processes before it knows the memory.
                if (File.Exists(Path.Combine(group._folder, "cpuset.mems")))
                    group.Write("cpuset.mems", "0");
                group.SetProcessors(processors);
            }
        );

    public void SetProcessors(string processors) => Write("cpuset.cpus", processors);

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

    private static ProcessorGroup Create(string controller, Action<ProcessorGroup> limit)
    {
        foreach (var parent in new[] { Path.Combine(Root, controller), Root })
        {
            var group = new ProcessorGroup(Path.Combine(parent, $"padim-trial-{Guid.NewGuid():N}"));
            try
            {
                Directory.CreateDirectory(group._folder);
                limit(group);
                return group;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (Directory.Exists(group._folder))
                    group.Dispose();
            }
        }
        Assert.Skip("No control group can be created: it takes root and a writable /sys/fs/cgroup.");
        throw new InvalidOperationException();
    }

    private void Write(string name, string value)
    {
        // A group without the controller has no such file, and its file system creates none.
        var path = Path.Combine(_folder, name);
        if (!File.Exists(path))
            throw new IOException($"{path} does not exist.");
        File.WriteAllText(path, value);
    }
}
