using System.Buffers.Binary;

namespace PaDiM.Imaging.Decoding;

/// <summary>
/// Reads the one field of EXIF metadata that pixels depend on. Nothing else in it is looked at, so nothing else in it
/// can be wrong.
/// </summary>
internal static class ExifOrientation
{
    /// <summary>The orientation of an image that is stored upright.</summary>
    public const int Upright = 1;

    private const ushort Tag = 0x0112,
        Short = 3,
        Long = 4;
    private const int EntryLength = 12;

    /// <summary>Gets whether an orientation swaps rows and columns.</summary>
    public static bool IsSideways(int orientation) => orientation > 4;

    /// <summary>Reads the orientation, 1 to 8.</summary>
    /// <param name="tiff">The metadata, from its byte order on.</param>
    /// <param name="orientation">The orientation; <see cref="Upright"/> if there is none.</param>
    /// <returns>False if the metadata is damaged before an orientation is found.</returns>
    public static bool TryRead(ReadOnlySpan<byte> tiff, out int orientation)
    {
        orientation = Upright;
        var isLittleEndian = tiff.StartsWith("II*\0"u8);
        if (tiff.Length < 8 || (!isLittleEndian && !tiff.StartsWith("MM\0*"u8)))
            return false;
        var at = isLittleEndian
            ? BinaryPrimitives.ReadUInt32LittleEndian(tiff[4..])
            : BinaryPrimitives.ReadUInt32BigEndian(tiff[4..]);
        if (at > tiff.Length - 2)
            return false;
        var entries = tiff[((int)at + 2)..];
        var count = ReadUInt16(tiff, (int)at, isLittleEndian);
        for (var i = 0; i < count; i++, entries = entries[EntryLength..])
        {
            if (entries.Length < EntryLength)
                return false;
            if (ReadUInt16(entries, 0, isLittleEndian) != Tag)
                continue;
            // A short stands at the beginning of the four bytes of the value, in either byte order.
            var value = ReadUInt16(entries, 2, isLittleEndian) switch
            {
                Short => ReadUInt16(entries, 8, isLittleEndian),
                Long => ReadUInt16(entries, isLittleEndian ? 8 : 10, isLittleEndian),
                _ => Upright,
            };
            // Cameras write 0 if they do not know.
            orientation = value is >= Upright and <= 8 ? value : Upright;
            return true;
        }
        return true;
    }

    private static ushort ReadUInt16(ReadOnlySpan<byte> bytes, int at, bool isLittleEndian) =>
        isLittleEndian
            ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..])
            : BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
}
