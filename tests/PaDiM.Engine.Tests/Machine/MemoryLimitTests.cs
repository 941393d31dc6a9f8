using PaDiM.Engine.Machine;
using PaDiM.TestSupport;

namespace PaDiM.Engine.Tests.Machine;

public sealed class MemoryLimitTests : IDisposable
{
    private const long Gibibyte = 1L << 30;

    private readonly TempDirectory _root = new();

    public MemoryLimitTests() => Write("proc/meminfo", "MemTotal:       16777216 kB\nMemFree:         1 kB\n");

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Without_control_groups_the_limit_is_the_physical_memory() =>
        Assert.Equal(new MemoryLimit(16 * Gibibyte, "physical memory"), Read());

    [Fact]
    public void A_system_that_reports_nothing_has_the_fallback()
    {
        File.Delete(Path.Combine(_root.Path, "proc/meminfo"));
        Assert.Equal(new MemoryLimit(7, "physical memory"), MemoryLimit.Read(_root.Path, 7));
    }

    [Theory]
    [InlineData("/padim.service", "padim.service/")]
    // A container with a namespace of its own sees itself as the root.
    [InlineData("/", "")]
    public void A_group_of_version_2_limits(string group, string folder)
    {
        Write("proc/self/cgroup", $"0::{group}\n");
        Write(
            "proc/self/mountinfo",
            "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
        );
        Write($"sys/fs/cgroup/{folder}memory.max", $"{Gibibyte}\n");
        var limit = Read();
        Assert.Equal(Gibibyte, limit.Bytes);
        Assert.EndsWith("memory.max", limit.Source, StringComparison.Ordinal);
    }

    [Fact]
    public void A_group_without_a_limit_has_that_of_its_ancestor()
    {
        Write("proc/self/cgroup", "0::/pods/pod1/padim\n");
        Write("proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        Write("sys/fs/cgroup/pods/pod1/padim/memory.max", "max\n");
        Write("sys/fs/cgroup/pods/pod1/memory.max", $"{2 * Gibibyte}\n");
        Write("sys/fs/cgroup/pods/memory.max", $"{8 * Gibibyte}\n");
        Assert.Equal(2 * Gibibyte, Read().Bytes);
    }

    [Fact]
    public void A_group_of_version_1_limits()
    {
        Write("proc/self/cgroup", "4:memory:/docker/abc\n3:cpuset:/docker/abc\n0::/\n");
        Write(
            "proc/self/mountinfo",
            "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
                + "34 31 0:31 /docker/abc /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset\n"
        );
        Write("sys/fs/cgroup/memory/memory.limit_in_bytes", $"{Gibibyte}\n");
        Assert.Equal(Gibibyte, Read().Bytes);
    }

    [Fact]
    public void The_largest_number_of_version_1_is_no_limit()
    {
        Write("proc/self/cgroup", "4:memory:/\n");
        Write("proc/self/mountinfo", "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
        Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        Assert.Equal("physical memory", Read().Source);
    }

    [Fact]
    public void This_process_has_a_limit() => Assert.True(MemoryLimit.Read().Bytes > 64 << 20);

    private MemoryLimit Read() => MemoryLimit.Read(_root.Path, fallback: 1);

    private void Write(string path, string text)
    {
        var file = Path.Combine(_root.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
