using System.Runtime.InteropServices;

namespace PaDiM.Cli;

/// <summary>The heap of the C library, where decoders and the runtime of networks have their memory.</summary>
internal static partial class NativeHeap
{
    private const int TrimThresholdOption = -1,
        TrimThresholdBytes = 128 << 10;

    /// <summary>
    /// Gives memory back to the system as soon as it is free. By itself glibc keeps more and more the longer a program
    /// runs, which makes a fit's memory grow with its images. The price is that decoding takes a tenth longer, which a
    /// fit does not feel.
    /// </summary>
    public static void ReturnFreedMemory()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            // Once it is set, the library moves neither this threshold nor the one from which on memory is mapped by
            // itself.
            _ = SetOption(TrimThresholdOption, TrimThresholdBytes);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // Another C library, which keeps what it keeps.
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);
}
