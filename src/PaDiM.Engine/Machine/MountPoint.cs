using System.Text.RegularExpressions;

namespace PaDiM.Engine.Machine;

/// <summary>A line of <c>/proc/self/mountinfo</c> (proc(5)).</summary>
/// <param name="Root">The folder of the file system that is mounted.</param>
/// <param name="Folder">Where it is mounted.</param>
/// <param name="Type">The type of the file system, such as <c>ext4</c>.</param>
/// <param name="Options">Its own options.</param>
internal sealed partial record MountPoint(string Root, string Folder, string Type, string[] Options)
{
    /// <summary>Lists the mount points that this process sees; none on systems other than Linux.</summary>
    /// <param name="root">What stands for <c>/</c>.</param>
    public static IEnumerable<MountPoint> List(string root)
    {
        var path = Path.Combine(root, "proc/self/mountinfo");
        return File.Exists(path) ? File.ReadLines(path).Select(Parse).OfType<MountPoint>() : [];
    }

    /// <summary>Whether a path lies below the mount point.</summary>
    public bool Contains(string path) =>
        Folder == "/" || path == Folder || path.StartsWith(Folder + "/", StringComparison.Ordinal);

    /// <summary>
    /// Parses a line such as <c>35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory</c>.
    /// </summary>
    private static MountPoint? Parse(string line)
    {
        var fields = line.Split(' ');
        var separator = Array.IndexOf(fields, "-");
        return separator >= 6 && fields.Length > separator + 3
            ? new MountPoint(
                Unescape(fields[3]),
                Unescape(fields[4]),
                fields[separator + 1],
                fields[separator + 3].Split(',')
            )
            : null;
    }

    /// <summary>Spaces and the like are written as three octal digits.</summary>
    private static string Unescape(string field) =>
        Octal().Replace(field, match => ((char)Convert.ToInt32(match.Groups[1].Value, 8)).ToString());

    [GeneratedRegex(@"\\([0-7]{3})")]
    private static partial Regex Octal();
}
