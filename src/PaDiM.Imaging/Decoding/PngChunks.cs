using System.Buffers.Binary;

namespace PaDiM.Imaging.Decoding;

/// <summary>
/// Reads of a PNG what must be known before libvips sees it, and what libvips does not tell: its size, whether it is
/// animated (APNG), whether the file has its end, and whether it holds more than its pixels.
/// </summary>
internal static class PngChunks
{
    private const int SignatureLength = 8,
        Overhead = 12,
        HeaderLength = 13,
        Slack = 1 << 16;

    /// <summary>Where the header ends.</summary>
    public const int HeaderEnd = SignatureLength + Overhead + HeaderLength;

    /// <summary>Pixels across and down.</summary>
    /// <exception cref="InvalidDataException">The file does not begin with a header, or with one that PNG
    /// forbids.</exception>
    public static (int Width, int Height) ReadSize(ReadOnlySpan<byte> png)
    {
        if (
            png.Length < HeaderEnd
            || LengthAt(png, SignatureLength) != Overhead + HeaderLength
            || !TypeAt(png, SignatureLength).SequenceEqual("IHDR"u8)
        )
            throw new InvalidDataException("its header is missing");
        var width = BinaryPrimitives.ReadUInt32BigEndian(png[16..]);
        var height = BinaryPrimitives.ReadUInt32BigEndian(png[20..]);
        return width is 0 or > int.MaxValue || height is 0 or > int.MaxValue
            ? throw new InvalidDataException($"a size of {width} x {height} cannot be")
            : ((int)width, (int)height);
    }

    /// <summary>Whether an <c>acTL</c> chunk stands before the pixels.</summary>
    public static bool IsAnimated(ReadOnlySpan<byte> png)
    {
        for (long at = SignatureLength; at + Overhead <= png.Length; at += LengthAt(png, at))
        {
            if (TypeAt(png, at).SequenceEqual("acTL"u8))
                return true;
            if (TypeAt(png, at).SequenceEqual("IDAT"u8))
                return false;
        }
        return false;
    }

    /// <summary>
    /// Whether all chunks up to <c>IEND</c> are there in full; one more byte cut off, and they are not.
    /// </summary>
    public static bool IsComplete(ReadOnlySpan<byte> png)
    {
        for (long at = SignatureLength; at + Overhead <= png.Length; at += LengthAt(png, at))
            if (TypeAt(png, at).SequenceEqual("IEND"u8))
                return true;
        return false;
    }

    /// <summary>
    /// Whether the packed pixels are longer than they would be unpacked. No encoder writes such; the decoder would
    /// unpack what lies behind the last row as well, a thousand times its length.
    /// </summary>
    public static bool HoldsTooMuch(ReadOnlySpan<byte> png)
    {
        var width = (long)BinaryPrimitives.ReadUInt32BigEndian(png[16..]);
        var height = (long)BinaryPrimitives.ReadUInt32BigEndian(png[20..]);
        var bits = png[24] * ChannelsOf(png[25]);
        // A filter byte a row, in up to seven passes; and what zlib adds where nothing can be packed.
        var most = Slack + height * ((width * bits + 7) / 8 + 7) * 101 / 100;
        for (
            long at = SignatureLength;
            at + Overhead <= png.Length && !TypeAt(png, at).SequenceEqual("IEND"u8);
            at += LengthAt(png, at)
        )
            if (TypeAt(png, at).SequenceEqual("IDAT"u8))
                most -= LengthAt(png, at) - Overhead;
        return most < 0;
    }

    private static int ChannelsOf(byte colourType) =>
        colourType switch
        {
            2 => 3,
            4 => 2,
            6 => 4,
            _ => 1,
        };

    private static ReadOnlySpan<byte> TypeAt(ReadOnlySpan<byte> png, long at) => png.Slice((int)at + 4, 4);

    /// <summary>Of the whole chunk.</summary>
    private static long LengthAt(ReadOnlySpan<byte> png, long at) =>
        Overhead + (long)BinaryPrimitives.ReadUInt32BigEndian(png[(int)at..]);
}
