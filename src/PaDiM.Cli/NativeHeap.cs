using System.Runtime.InteropServices;

namespace PaDiM.Cli;

/// <summary>Configures the heap of the C library, which holds the memory of decoders and of ONNX Runtime.</summary>
internal static partial class NativeHeap
{
    private const int TrimThresholdOption = -1,
        TrimThresholdBytes = 128 << 10;

    /// <summary>
    /// Returns freed memory to the system at once. By default glibc keeps more memory the longer a program runs, so a
    /// fit's memory would grow with its images. Decoding becomes a tenth slower, which is negligible in a fit.
    /// </summary>
    public static void ReturnFreedMemory()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            // Setting it also stops glibc from adapting this threshold and the mmap threshold.
            _ = SetOption(TrimThresholdOption, TrimThresholdBytes);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // Another C library, which has its own policy.
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);
}
