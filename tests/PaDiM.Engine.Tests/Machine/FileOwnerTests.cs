using PaDiM.Engine.Machine;
using PaDiM.TestSupport;

namespace PaDiM.Engine.Tests.Machine;

public sealed class FileOwnerTests
{
    [Fact]
    public void What_a_process_creates_belongs_to_its_user()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Owners are read on Linux only.");
        using var folder = new TempDirectory();
        Assert.Equal(FileOwner.ReadProcess()!.Value.User, FileOwner.Read(folder.Path)!.Value.User);
        Assert.Equal(new FileOwner(0, 0), FileOwner.Read("/proc"));
        Assert.Null(FileOwner.Read(folder.Combine("missing")));
    }
}
