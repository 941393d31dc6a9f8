using System.Security.Cryptography;

namespace PaDiM.Service.Data;

/// <summary>
/// The keys of inspections: microseconds since 1970 (until 2255), and 10 bits that tell apart what several replicas
/// score within one.
/// </summary>
internal static class InspectionKey
{
    private const int LowBits = 10;

    /// <summary>The years that keys have a place for.</summary>
    public const int FirstYear = 1970,
        LastYear = 2254;

    private static readonly DateTime End = new(LastYear + 1, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>Gets whether a time has a key of its own.</summary>
    public static bool HasPlaceFor(DateTime time) => time.Year is >= FirstYear and <= LastYear;

    /// <summary>Gets the lowest key of a time. Times that no key has are before or behind all that have one.</summary>
    public static long FromTime(DateTime time) =>
        (Math.Clamp(time.Ticks, DateTime.UnixEpoch.Ticks, End.Ticks) - DateTime.UnixEpoch.Ticks)
            / TimeSpan.TicksPerMicrosecond
        << LowBits;

    /// <summary>Creates a key. If it is taken, the next one is used.</summary>
    public static long Create(DateTime time) => FromTime(time) | (long)RandomNumberGenerator.GetInt32(1 << LowBits);

    /// <summary>Gets the time of a key.</summary>
    public static DateTime GetTime(long key) =>
        DateTime.UnixEpoch.AddTicks((key >> LowBits) * TimeSpan.TicksPerMicrosecond);

    /// <summary>Gets the beginning of the keys of a category's kept images in the object store.</summary>
    public static string GetImagePrefix(string category) => $"{DataDirectory.InspectionsName}/{category}/";
}
