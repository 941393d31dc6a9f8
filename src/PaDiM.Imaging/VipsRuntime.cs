using NetVips;

namespace PaDiM.Imaging;

/// <summary>Settings of libvips that hold for the whole process.</summary>
internal static class VipsRuntime
{
    /// <summary>Referenced for as long as native code may call it.</summary>
    private static readonly Log.LogDelegate OnWarning = (_, _, message) =>
        s_hasReadWarning |= message.StartsWith("read gave", StringComparison.Ordinal);

    /// <summary>Set on the thread that closes an image.</summary>
    [ThreadStatic]
    private static bool s_hasReadWarning;

    static VipsRuntime()
    {
        // Requests bring the parallelism; a cache of operations would only hold their buffers.
        NetVips.NetVips.Concurrency = 1;
        Cache.Max = 0;
        NetVips.NetVips.BlockUntrusted = true;
        // What libvips warns about is either refused or harmless. Hostile files must not fill the log.
        _ = Log.SetLogHandler("VIPS", Enums.LogLevelFlags.Warning, OnWarning);
    }

    /// <summary>
    /// Gets whether a file that this thread has closed since the last call had warnings that libvips did not report.
    /// </summary>
    public static bool TakeReadWarning()
    {
        var had = s_hasReadWarning;
        s_hasReadWarning = false;
        return had;
    }

    /// <summary>Applies the settings, once.</summary>
    public static void EnsureConfigured() { }
}
