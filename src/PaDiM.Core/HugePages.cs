using System.Runtime.InteropServices;

namespace PaDiM.Core;

/// <summary>
/// Requests huge pages for memory of many megabytes that is written from end to end. The first write to each page makes
/// the operating system provide it, by default 4 KiB at a time; in a virtual machine that costs more than the
/// computation.
/// </summary>
public static unsafe partial class HugePages
{
    /// <summary>Size of a huge page in bytes, and the alignment of memory that is in huge pages only.</summary>
    public const nuint Size = 2 << 20;

    private const int AdviceHugePages = 14;

    /// <summary>Requests pages of 2 MiB from Linux; does nothing elsewhere.</summary>
    /// <param name="start">Start of the memory.</param>
    /// <param name="bytes">Length in bytes. The request includes the pages at both ends, which are shared with
    /// neighbours: arrays that are created in sequence are adjacent.</param>
    public static void Request(void* start, nuint bytes)
    {
        if (!OperatingSystem.IsLinux())
            return;
        var from = (nuint)start / Size * Size;
        var to = ((nuint)start + bytes + Size - 1) / Size * Size;
        try
        {
            // A hint: ignoring it changes no result.
            _ = AdviseKernel((void*)from, to - from, AdviceHugePages);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // Another C library; pages stay small.
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int AdviseKernel(void* start, nuint length, int advice);
}
