using NetVips;

namespace PaDiM.Imaging;

/// <summary>Settings of libvips that hold for the whole process.</summary>
internal static class VipsRuntime
{
    /// <summary>Referenced for as long as native code may call it.</summary>
    private static readonly Log.LogDelegate IgnoreWarning = (_, _, _) => { };

    static VipsRuntime()
    {
        // Requests bring the parallelism; a cache of operations would only hold their buffers.
        NetVips.NetVips.Concurrency = 1;
        Cache.Max = 0;
        NetVips.NetVips.BlockUntrusted = true;
        // What libvips warns about is either refused, with its words in the answer, or harmless. Hostile files must not
        // fill the log.
        _ = Log.SetLogHandler("VIPS", Enums.LogLevelFlags.Warning, IgnoreWarning);
    }

    /// <summary>Applies the settings, once.</summary>
    public static void EnsureConfigured() { }
}
