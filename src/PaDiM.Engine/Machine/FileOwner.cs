using System.Runtime.InteropServices;

namespace PaDiM.Engine.Machine;

/// <summary>The user and the group of a file or a process, by number (Linux).</summary>
/// <param name="User">The user.</param>
/// <param name="Group">The group.</param>
public readonly partial record struct FileOwner(uint User, uint Group)
{
    private const int CurrentDirectory = -100;
    private const uint UserAndGroup = 0x18;

    /// <summary>Offsets in <c>struct statx</c> (statx(2)), which has 256 bytes on every processor.</summary>
    private const int StatxBytes = 256,
        UserOffset = 20,
        GroupOffset = 24;

    /// <summary>Reads the owner of a file or folder; null if the system does not say.</summary>
    public static FileOwner? Read(string path)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        Span<byte> status = stackalloc byte[StatxBytes];
        try
        {
            return Statx(CurrentDirectory, path, 0, UserAndGroup, ref MemoryMarshal.GetReference(status)) == 0
                ? new FileOwner(
                    MemoryMarshal.Read<uint>(status[UserOffset..]),
                    MemoryMarshal.Read<uint>(status[GroupOffset..])
                )
                : null;
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Reads the user and the group that this process runs as; null if the system does not say.</summary>
    public static FileOwner? ReadProcess() =>
        OperatingSystem.IsLinux() ? new FileOwner(GetEffectiveUser(), GetEffectiveGroup()) : null;

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint mask, ref byte status);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUser();

    [LibraryImport("libc", EntryPoint = "getegid")]
    private static partial uint GetEffectiveGroup();
}
