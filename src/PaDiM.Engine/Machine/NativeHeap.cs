using System.Runtime.InteropServices;

namespace PaDiM.Engine.Machine;

/// <summary>Configures the heap of the C library, which holds the memory of decoders and of ONNX Runtime.</summary>
public static partial class NativeHeap
{
    private const int TrimThresholdOption = -1,
        TrimThresholdBytes = 128 << 10,
        ArenasOption = -8,
        Arenas = 2;

    /// <summary>
    /// Returns freed memory to the system at once, for programs that score no line. By default glibc keeps more memory
    /// the longer a program runs, so a fit's memory would grow with its images. Decoding becomes a tenth slower, which
    /// is negligible in a fit.
    /// </summary>
    /// <remarks>It also stops glibc from adapting this threshold and the mmap threshold.</remarks>
    public static void ReturnFreedMemory() => Set(TrimThresholdOption, TrimThresholdBytes);

    /// <summary>
    /// Creates no more arenas, for services. By default glibc gives threads up to eight arenas per core, and each keeps
    /// the memory of the largest images that it has held. The runtime's own threads have some by then (seven were
    /// counted); only the environment variable <c>MALLOC_ARENA_MAX</c>, which goes first, comes early enough for those.
    /// </summary>
    public static void CreateNoMoreArenas()
    {
        if (Environment.GetEnvironmentVariable("MALLOC_ARENA_MAX") is null)
            Set(ArenasOption, Arenas);
    }

    /// <summary>
    /// Returns the free memory of all arenas to the system. Threads that allocate wait meanwhile: some milliseconds for
    /// some hundred megabytes.
    /// </summary>
    public static void Trim() => Call(static () => Trim(keptBytes: 0));

    private static void Set(int option, int value) => Call(() => SetOption(option, value));

    private static void Call(Func<int> function)
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _ = function();
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // Another C library, which has its own policy.
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint keptBytes);
}
