using System.Buffers.Binary;

namespace PaDiM.Service.Datasets;

/// <summary>
/// Counts the entries of a zip archive without reading them. <c>ZipArchive</c> makes an object of every entry before it
/// tells how many there are, and an archive of a few gigabytes has room for tens of millions.
/// </summary>
internal static class ZipDirectory
{
    private const int EndLength = 22,
        LocatorLength = 20,
        End64Length = 56,
        HeaderLength = 46,
        MaxCommentLength = ushort.MaxValue;
    private const uint EndMark = 0x06054b50,
        LocatorMark = 0x07064b50,
        End64Mark = 0x06064b50,
        HeaderMark = 0x02014b50;

    /// <summary>Counts the entries of the archive's directory.</summary>
    /// <param name="file">The archive.</param>
    /// <param name="most">Where to stop.</param>
    /// <returns>The number of entries; more than <paramref name="most"/> if there are more; null if the file has no
    /// directory.</returns>
    public static int? Count(Stream file, int most)
    {
        if (FindDirectory(file) is not { } position || position < 0 || position > file.Length)
            return null;
        file.Position = position;
        // A file stream with a buffer of its own: headers are short.
        var header = new byte[HeaderLength];
        var rest = new byte[3 * ushort.MaxValue];
        for (var count = 0; ; count++)
        {
            if (
                count > most
                || file.ReadAtLeast(header, HeaderLength, throwOnEndOfStream: false) < HeaderLength
                || BinaryPrimitives.ReadUInt32LittleEndian(header) != HeaderMark
            )
                return count;
            var length = ReadUInt16(header, 28) + ReadUInt16(header, 30) + ReadUInt16(header, 32);
            if (file.ReadAtLeast(rest.AsSpan(0, length), length, throwOnEndOfStream: false) < length)
                return count;
        }
    }

    /// <summary>Finds the directory as <c>ZipArchive</c> does: by the last end mark of the file.</summary>
    private static long? FindDirectory(Stream file)
    {
        var tail = new byte[(int)Math.Min(file.Length, EndLength + MaxCommentLength)];
        if (tail.Length < EndLength)
            return null;
        var tailPosition = file.Length - tail.Length;
        file.Position = tailPosition;
        file.ReadExactly(tail);
        var end = tail.Length - EndLength;
        while (end >= 0 && BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(end)) != EndMark)
            end--;
        if (end < 0)
            return null;
        var offset = BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(end + 16));
        var isLarge =
            ReadUInt16(tail, end + 4) == ushort.MaxValue
            || ReadUInt16(tail, end + 10) == ushort.MaxValue
            || offset == uint.MaxValue;
        return isLarge ? FindDirectory64(file, tailPosition + end - LocatorLength) ?? offset : offset;
    }

    private static long? FindDirectory64(Stream file, long locatorPosition)
    {
        if (
            Read(file, locatorPosition, LocatorLength) is not { } locator
            || BinaryPrimitives.ReadUInt32LittleEndian(locator) != LocatorMark
            || Read(file, BinaryPrimitives.ReadInt64LittleEndian(locator.AsSpan(8)), End64Length) is not { } end
            || BinaryPrimitives.ReadUInt32LittleEndian(end) != End64Mark
        )
            return null;
        return BinaryPrimitives.ReadInt64LittleEndian(end.AsSpan(48));
    }

    private static byte[]? Read(Stream file, long position, int length)
    {
        if (position < 0 || position > file.Length - length)
            return null;
        var bytes = new byte[length];
        file.Position = position;
        file.ReadExactly(bytes);
        return bytes;
    }

    private static int ReadUInt16(byte[] bytes, int offset) =>
        BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(offset));
}
