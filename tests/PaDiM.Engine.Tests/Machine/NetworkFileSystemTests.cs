using PaDiM.Engine.Machine;
using PaDiM.TestSupport;

namespace PaDiM.Engine.Tests.Machine;

public sealed class NetworkFileSystemTests : IDisposable
{
    private readonly TempDirectory _root = new();

    public NetworkFileSystemTests()
    {
        Directory.CreateDirectory(_root.Combine("proc", "self"));
        File.WriteAllLines(
            _root.Combine("proc", "self", "mountinfo"),
            [
                "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
                "23 22 0:50 / /data rw - nfs4 server:/export rw,vers=4.2",
                "24 23 8:2 / /data/local rw - xfs /dev/sdb rw",
                "25 22 0:51 / /my\\040shares rw - cifs //server/share rw",
                "26 22 0:52 / /bucket rw - fuse.s3fs s3fs rw",
                "27 22 0:53 / /ntfs rw - fuseblk /dev/sdc1 rw",
                "28 22 0:54 / /hidden rw - nfs server:/a rw",
                "29 22 8:3 / /hidden rw - ext4 /dev/sdd rw",
            ]
        );
    }

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("/data", "nfs4")]
    [InlineData("/data/padim", "nfs4")]
    [InlineData("/my shares/padim", "cifs")]
    [InlineData("/bucket/x", "fuse.s3fs")]
    [InlineData("/data/local/padim", null)]
    [InlineData("/database", null)]
    [InlineData("/ntfs", null)]
    [InlineData("/hidden/padim", null)]
    [InlineData("/var/lib/padim", null)]
    public void The_innermost_mount_point_counts(string path, string? expected) =>
        Assert.Equal(expected, NetworkFileSystem.Find(path, _root.Path));

    [Fact]
    public void A_folder_for_temporary_files_is_local()
    {
        Assert.Null(NetworkFileSystem.Find(_root.Path));
        Assert.Null(NetworkFileSystem.Find(_root.Combine("does", "not", "exist")));
    }
}
