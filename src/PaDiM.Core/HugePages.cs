using System.Runtime.InteropServices;

namespace PaDiM.Core;

/// <summary>
/// Memory of many megabytes that is written from end to end: its first writes meet pages that the operating system has
/// yet to hand out, by default 4 KiB at a time. In a virtual machine that costs more than what is computed.
/// </summary>
public static unsafe partial class HugePages
{
    /// <summary>Bytes of a huge page; memory that begins at a multiple of it is wholly in such pages.</summary>
    public const nuint Size = 2 << 20;

    private const int MadvHugePage = 14;

    /// <summary>Asks Linux for pages of 2 MiB; where it has none, all works as before.</summary>
    /// <param name="start">Beginning of the memory.</param>
    /// <param name="bytes">Its length. The pages at both ends too, which are shared with neighbours: arrays made one
    /// after the other lie side by side.</param>
    public static void Request(void* start, nuint bytes)
    {
        if (!OperatingSystem.IsLinux())
            return;
        var from = (nuint)start / Size * Size;
        var to = ((nuint)start + bytes + Size - 1) / Size * Size;
        try
        {
            // A hint: whether it is taken changes no result.
            _ = Madvise((void*)from, to - from, MadvHugePage);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // Another C library; pages stay small.
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Madvise(void* start, nuint length, int advice);
}
