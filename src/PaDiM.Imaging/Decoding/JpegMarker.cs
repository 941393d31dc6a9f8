namespace PaDiM.Imaging.Decoding;

/// <summary>The second bytes of JPEG markers (ITU-T T.81, table B.1).</summary>
internal static class JpegMarker
{
    /// <summary>The first byte of every marker.</summary>
    public const byte Prefix = 0xFF;

    public const byte StartOfImage = 0xD8,
        EndOfImage = 0xD9,
        StartOfScan = 0xDA,
        Jfif = 0xE0,
        Exif = 0xE1,
        Profile = 0xE2,
        Adobe = 0xEE;
    private const byte Temporary = 0x01,
        HuffmanTables = 0xC4,
        Reserved = 0xC8,
        ArithmeticTables = 0xCC,
        FirstFrame = 0xC0,
        LastFrame = 0xCF,
        FirstRestart = 0xD0,
        LastRestart = 0xD7,
        QuantisationTables = 0xDB,
        NumberOfLines = 0xDC,
        RestartInterval = 0xDD,
        FirstApplication = 0xE0,
        LastApplication = 0xEF,
        Comment = 0xFE;

    /// <summary>Gets whether a marker begins a frame header.</summary>
    public static bool IsFrame(byte marker) =>
        marker is >= FirstFrame and <= LastFrame and not (HuffmanTables or Reserved or ArithmeticTables);

    /// <summary>Gets whether a marker counts the restarts within a scan.</summary>
    public static bool IsRestart(byte marker) => marker is >= FirstRestart and <= LastRestart;

    /// <summary>Gets whether no segment follows a marker, and it means nothing outside a scan.</summary>
    public static bool IsBare(byte marker) => marker is Temporary || IsRestart(marker);

    /// <summary>Gets whether a marker begins tables that the scans are decoded with.</summary>
    public static bool IsTable(byte marker) =>
        marker is HuffmanTables or ArithmeticTables or QuantisationTables or RestartInterval;

    /// <summary>Gets whether a marker begins a segment that decoders skip.</summary>
    public static bool IsExtra(byte marker) =>
        marker is Comment or NumberOfLines or (>= FirstApplication and <= LastApplication);
}
