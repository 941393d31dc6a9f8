using System.Security.Cryptography;

namespace PaDiM.Service.Data;

/// <summary>
/// The keys of inspections: microseconds since 1970 (until 2255), and 10 bits that tell apart what several replicas
/// score within one.
/// </summary>
internal static class InspectionKey
{
    private const int LowBits = 10;

    /// <summary>Gets the lowest key of a time.</summary>
    public static long FromTime(DateTime time) =>
        (time.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond << LowBits;

    /// <summary>Creates a key. If it is taken, the next one is used.</summary>
    public static long Create(DateTime time) => FromTime(time) | (long)RandomNumberGenerator.GetInt32(1 << LowBits);

    /// <summary>Gets the time of a key.</summary>
    public static DateTime GetTime(long key) =>
        DateTime.UnixEpoch.AddTicks((key >> LowBits) * TimeSpan.TicksPerMicrosecond);

    /// <summary>Gets the beginning of the keys of a category's kept images in the object store.</summary>
    public static string GetImagePrefix(string category) => $"{DataDirectory.InspectionsName}/{category}/";
}
