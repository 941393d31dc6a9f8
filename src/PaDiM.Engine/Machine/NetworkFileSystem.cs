namespace PaDiM.Engine.Machine;

/// <summary>File systems whose files are on other machines, where locks and shared memory do not hold.</summary>
public static class NetworkFileSystem
{
    /// <summary>As Linux names them; the names after <c>fuse.</c> are those of the programs behind them.</summary>
    private static readonly HashSet<string> Types = new(StringComparer.Ordinal)
    {
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "fuse.ceph-fuse",
        "fuse.gcsfuse",
        "fuse.glusterfs",
        "fuse.goofys",
        "fuse.juicefs",
        "fuse.mount-s3",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "gfs2",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "smb3",
        "smbfs",
    };

    /// <summary>Finds the network file system that holds a path.</summary>
    /// <param name="path">A full path; it need not exist.</param>
    /// <returns>The type of the file system, such as <c>nfs4</c>; null if it is a local one.</returns>
    public static string? Find(string path)
    {
        if (OperatingSystem.IsLinux())
            return Find(Resolve(path), "/");
        var drive = new DriveInfo(Path.GetPathRoot(path) ?? path);
        return drive.DriveType == DriveType.Network ? drive.DriveFormat : null;
    }

    /// <summary>Finds the file system of a path without links.</summary>
    /// <param name="path">A full path.</param>
    /// <param name="root">What stands for <c>/</c> where mount points are read.</param>
    internal static string? Find(string path, string root)
    {
        // The later of two mounts at one place hides the earlier one.
        var type = MountPoint
            .List(root)
            .Where(mount => mount.Contains(path))
            .Aggregate(
                (MountPoint?)null,
                (found, mount) => found is null || mount.Folder.Length >= found.Folder.Length ? mount : found
            )
            ?.Type;
        return type is not null && Types.Contains(type) ? type : null;
    }

    /// <summary>Follows the links of a path, as far as it exists.</summary>
    private static string Resolve(string path)
    {
        var resolved = "/";
        foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var next = Path.Combine(resolved, name);
            var link = new DirectoryInfo(next);
            resolved = link.LinkTarget is null
                ? next
                : link.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? next;
        }
        return resolved;
    }
}
