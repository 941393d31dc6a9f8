using System.Runtime.InteropServices;

namespace PaDiM.Core;

/// <summary>
/// Arrays of many megabytes that are written from end to end. Their first writes meet memory that the operating system has yet to hand out, by default 4 KiB at a
/// time: in a virtual machine that costs more than what is computed. Linux is asked for pages of 2 MiB; where it has none, all works as before.
/// </summary>
public static unsafe partial class LargeArray
{
    private const nuint HugePage = 2 << 20, Smallest = 1 << 20;
    private const int AdviseHugePages = 14;

    /// <summary>An array of zeros.</summary>
    /// <param name="length">Elements.</param>
    /// <returns>Not yet in memory, but for what its owner writes.</returns>
    /// <exception cref="OutOfMemoryException">More than there can be.</exception>
    public static T[] Of<T>(long length) where T : unmanaged
    {
        var array = new T[length];
        if (OperatingSystem.IsLinux() && (nuint)length * (nuint)sizeof(T) >= Smallest) Advise(array);
        return array;
    }

    private static void Advise<T>(T[] array) where T : unmanaged
    {
        fixed (T* start = array)
        {
            // The pages at both ends too, which are shared with neighbours: arrays made one after the other lie side by side.
            var from = (nuint)start / HugePage * HugePage;
            var to = ((nuint)start + (nuint)array.LongLength * (nuint)sizeof(T) + HugePage - 1) / HugePage * HugePage;
            try
            {
                // A hint: whether it is taken changes no result.
                _ = Advise((void*)from, to - from, AdviseHugePages);
            }
            catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
            {
                // Another C library; pages stay small.
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* start, nuint length, int advice);
}
