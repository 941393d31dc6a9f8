namespace PaDiM.Imaging.Decoding;

/// <summary>
/// Reads the one field of EXIF metadata that pixels depend on. Nothing else in it is looked at, so nothing else in it
/// can be wrong.
/// </summary>
internal static class ExifOrientation
{
    /// <summary>The orientation of an image that is stored upright.</summary>
    public const int Upright = 1;

    private const ushort Short = 3,
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
        if (tiff.Length < 8 || (!tiff.StartsWith("II*\0"u8) && !tiff.StartsWith("MM\0*"u8)))
            return false;
        var file = new TiffBytes(tiff);
        var at = file.ReadStart();
        if (at > tiff.Length - 2)
            return false;
        var count = file.ReadUInt16(at);
        at += 2;
        for (var i = 0; i < count; i++, at += EntryLength)
        {
            if (at > tiff.Length - EntryLength)
                return false;
            if (file.ReadUInt16(at) != (int)TiffTag.Orientation)
                continue;
            // A short stands at the beginning of the four bytes of the value, in either byte order.
            var value = file.ReadUInt16(at + 2) switch
            {
                Short => file.ReadUInt16(at + 8),
                Long => file.ReadUInt16(at + (file.IsLittleEndian ? 8 : 10)),
                _ => Upright,
            };
            // Cameras write 0 if they do not know.
            orientation = value is >= Upright and <= 8 ? value : Upright;
            return true;
        }
        return true;
    }
}
