using System.Buffers.Binary;
using PaDiM.Core.Models;

namespace PaDiM.Imaging.Decoding;

/// <summary>
/// Reads from a PNG what must be known before libvips sees it, and what libvips does not report: the size, whether the
/// image is animated (APNG), whether the file is complete, and whether it holds more data than its pixels need.
/// </summary>
internal static class PngChunks
{
    private const int SignatureLength = 8,
        Overhead = 12,
        HeaderLength = 13,
        Slack = 1 << 16;

    /// <summary>Offset of the first byte after the header.</summary>
    public const int HeaderEnd = SignatureLength + Overhead + HeaderLength;

    /// <summary>Reads the number of pixels across and down.</summary>
    /// <exception cref="InvalidDataException">The header is missing, or its size is invalid.</exception>
    public static (int Width, int Height) ReadSize(ReadOnlySpan<byte> png)
    {
        if (
            png.Length < HeaderEnd
            || GetChunkLength(png, SignatureLength) != Overhead + HeaderLength
            || !GetChunkType(png, SignatureLength).SequenceEqual("IHDR"u8)
        )
            throw new InvalidDataException("the IHDR chunk is missing");
        var width = BinaryPrimitives.ReadUInt32BigEndian(png[16..]);
        var height = BinaryPrimitives.ReadUInt32BigEndian(png[20..]);
        return width is 0 or > int.MaxValue || height is 0 or > int.MaxValue
            ? throw new InvalidDataException($"invalid image size {width} x {height}")
            : ((int)width, (int)height);
    }

    /// <summary>Gets whether samples have 16 bits.</summary>
    /// <param name="png">The file; its header was read.</param>
    public static bool IsDeep(ReadOnlySpan<byte> png) => png[24] == 16;

    /// <summary>
    /// Reads the bits that count (<c>sBIT</c>); null if the file does not say, or says that all do. By the standard
    /// they are the higher bits of a sample, but cameras and their programs leave them in the lower ones.
    /// </summary>
    /// <param name="png">The file; its header was read.</param>
    public static int? ReadSignificantBits(ReadOnlySpan<byte> png)
    {
        var isGrey = png[25] is 0 or 4;
        for (long at = SignatureLength; at + Overhead <= png.Length; at += GetChunkLength(png, at))
        {
            var type = GetChunkType(png, at);
            if (type.SequenceEqual("IDAT"u8))
                return null;
            var length = isGrey ? 1 : 3;
            if (!type.SequenceEqual("sBIT"u8) || at + GetChunkLength(png, at) > png.Length)
                continue;
            if (GetChunkLength(png, at) < Overhead + length)
                return null;
            var most = 0;
            foreach (var bits in png.Slice((int)at + 8, length))
                most = Math.Max(most, bits);
            return most is >= FitSettings.MinSignificantBits and < FitSettings.MaxSignificantBits ? most : null;
        }
        return null;
    }

    /// <summary>
    /// Gets whether there is more than one picture: an animation of another number of frames than one, or of one frame
    /// beside the picture that other programs show.
    /// </summary>
    /// <param name="png">The file, or its beginning.</param>
    public static bool IsAnimated(ReadOnlySpan<byte> png)
    {
        bool isAnimation = false,
            hasPixels = false;
        var frames = 0;
        for (long at = SignatureLength; at + Overhead <= png.Length; at += GetChunkLength(png, at))
        {
            var type = GetChunkType(png, at);
            if (type.SequenceEqual("acTL"u8) && !hasPixels)
            {
                isAnimation = true;
                if (at + Overhead + 4 > png.Length || BinaryPrimitives.ReadUInt32BigEndian(png[(int)(at + 8)..]) != 1)
                    return true;
            }
            else if (type.SequenceEqual("fcTL"u8))
                frames++;
            else if (type.SequenceEqual("IDAT"u8))
            {
                hasPixels = true;
                if (isAnimation && frames == 0)
                    return true;
            }
            if (isAnimation && (frames > 1 || type.SequenceEqual("fdAT"u8)))
                return true;
        }
        return false;
    }

    /// <summary>Gets whether all chunks up to and including <c>IEND</c> are there, to the last byte.</summary>
    public static bool IsComplete(ReadOnlySpan<byte> png)
    {
        for (long at = SignatureLength; at + Overhead <= png.Length; at += GetChunkLength(png, at))
            if (GetChunkType(png, at).SequenceEqual("IEND"u8))
                return true;
        return false;
    }

    /// <summary>
    /// Gets whether the compressed pixels are longer than they would be uncompressed. No encoder writes such a file,
    /// and the decoder would also inflate the data behind the last row, to up to a thousand times its length.
    /// </summary>
    public static bool HasExcessData(ReadOnlySpan<byte> png)
    {
        var width = (long)BinaryPrimitives.ReadUInt32BigEndian(png[16..]);
        var height = (long)BinaryPrimitives.ReadUInt32BigEndian(png[20..]);
        var bits = png[24] * CountChannels(png[25]);
        // A filter byte per row, in up to seven passes, and what zlib adds to incompressible data.
        var allowed = Slack + height * ((width * bits + 7) / 8 + 7) * 101 / 100;
        for (
            long at = SignatureLength;
            at + Overhead <= png.Length && !GetChunkType(png, at).SequenceEqual("IEND"u8);
            at += GetChunkLength(png, at)
        )
            if (GetChunkType(png, at).SequenceEqual("IDAT"u8))
                allowed -= GetChunkLength(png, at) - Overhead;
        return allowed < 0;
    }

    private static int CountChannels(byte colourType) =>
        colourType switch
        {
            2 => 3,
            4 => 2,
            6 => 4,
            _ => 1,
        };

    private static ReadOnlySpan<byte> GetChunkType(ReadOnlySpan<byte> png, long at) => png.Slice((int)at + 4, 4);

    /// <summary>Gets the length of a whole chunk: data, length, type and checksum.</summary>
    private static long GetChunkLength(ReadOnlySpan<byte> png, long at) =>
        Overhead + (long)BinaryPrimitives.ReadUInt32BigEndian(png[(int)at..]);
}
