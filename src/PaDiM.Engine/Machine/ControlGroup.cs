using System.Globalization;

namespace PaDiM.Engine.Machine;

/// <summary>
/// The Linux control group that accounts the memory of this process, of version 1 or 2 (cgroups(7)). A limit of one of
/// its ancestors holds for it too.
/// </summary>
/// <param name="Mount">The folder at which the hierarchy is mounted.</param>
/// <param name="Path">The folder of the group; equal to the mount or below it.</param>
/// <param name="FileName">The file with the limit of a group.</param>
internal sealed record ControlGroup(string Mount, string Path, string FileName)
{
    private const string LimitOfVersion1 = "memory.limit_in_bytes",
        LimitOfVersion2 = "memory.max";

    /// <summary>Finds the groups of this process that may limit its memory.</summary>
    /// <param name="root">What stands for <c>/</c>.</param>
    public static IEnumerable<ControlGroup> FindMemory(string root)
    {
        var groups = System.IO.Path.Combine(root, "proc/self/cgroup");
        if (!File.Exists(groups))
            yield break;
        // Lines such as "4:memory:/system.slice/padim.service", and "0::/…" for version 2.
        var memberships = File.ReadLines(groups)
            .Select(line => line.Split(':', 3))
            .Where(parts => parts.Length == 3)
            .ToArray();
        foreach (var mount in MountPoint.List(root))
        {
            var isVersion1 = mount.Type == "cgroup" && mount.Options.Contains("memory");
            if (!isVersion1 && mount.Type != "cgroup2")
                continue;
            var membership = Array.Find(
                memberships,
                parts => isVersion1 ? parts[1].Split(',').Contains("memory") : parts[1].Length == 0
            );
            if (membership is null)
                continue;
            var folder = System.IO.Path.Combine(root, mount.Folder.TrimStart('/'));
            yield return new ControlGroup(
                folder,
                System.IO.Path.Combine(folder, RelativeTo(mount.Root, membership[2])),
                isVersion1 ? LimitOfVersion1 : LimitOfVersion2
            );
        }
    }

    /// <summary>
    /// Reads the limits of the group and its ancestors, from the inside out. Groups without a limit are left out.
    /// </summary>
    public IEnumerable<(string File, long Value)> ReadLimits()
    {
        for (var folder = Path; folder is not null; folder = System.IO.Path.GetDirectoryName(folder))
        {
            var file = System.IO.Path.Combine(folder, FileName);
            // "max" is no limit in version 2; version 1 writes the largest multiple of a page, which no machine has.
            if (
                File.Exists(file)
                && long.TryParse(
                    File.ReadAllText(file).AsSpan().Trim(),
                    NumberStyles.None,
                    CultureInfo.InvariantCulture,
                    out var limit
                )
            )
                yield return (file, limit);
            if (folder.Length <= Mount.Length)
                yield break;
        }
    }

    /// <summary>
    /// Gets the path of a group below the mount. A container that mounts its own group sees a path from the host, of
    /// which the mount's root is the beginning.
    /// </summary>
    private static string RelativeTo(string mountRoot, string group) =>
        mountRoot == "/" ? group.TrimStart('/')
        : group == mountRoot || group.StartsWith(mountRoot + "/", StringComparison.Ordinal)
            ? group[mountRoot.Length..].TrimStart('/')
        : "";
}
