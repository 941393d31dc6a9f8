using System.Buffers.Binary;

namespace PaDiM.Onnx.Imaging;

/// <summary>Reads what libvips does not tell of a PNG: whether it is animated (APNG), and whether the file has its end.</summary>
internal static class PngChunks
{
    private const int SignatureLength = 8, Overhead = 12;

    /// <summary>Whether an <c>acTL</c> chunk stands before the pixels.</summary>
    public static bool IsAnimated(ReadOnlySpan<byte> png)
    {
        for (long at = SignatureLength; at + Overhead <= png.Length; at += LengthAt(png, at))
        {
            if (TypeAt(png, at).SequenceEqual("acTL"u8)) return true;
            if (TypeAt(png, at).SequenceEqual("IDAT"u8)) return false;
        }
        return false;
    }

    /// <summary>Whether all chunks up to <c>IEND</c> are there in full; one more byte cut off, and they are not.</summary>
    public static bool IsComplete(ReadOnlySpan<byte> png)
    {
        for (long at = SignatureLength; at + Overhead <= png.Length; at += LengthAt(png, at))
            if (TypeAt(png, at).SequenceEqual("IEND"u8)) return true;
        return false;
    }

    private static ReadOnlySpan<byte> TypeAt(ReadOnlySpan<byte> png, long at) => png.Slice((int)at + 4, 4);

    /// <summary>Of the whole chunk.</summary>
    private static long LengthAt(ReadOnlySpan<byte> png, long at) => Overhead + (long)BinaryPrimitives.ReadUInt32BigEndian(png[(int)at..]);
}
