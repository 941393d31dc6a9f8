using System.Buffers.Binary;

namespace PaDiM.Onnx.Imaging;

/// <summary>Reads the one thing that libvips does not tell of a PNG: whether it is animated (APNG).</summary>
internal static class PngChunks
{
    private const int SignatureLength = 8;

    /// <summary>Whether an <c>acTL</c> chunk stands before the pixels.</summary>
    public static bool IsAnimated(ReadOnlySpan<byte> png)
    {
        for (var at = (long)SignatureLength; at + 8 <= png.Length;)
        {
            var chunk = png[(int)at..];
            if (chunk[4..8].SequenceEqual("acTL"u8)) return true;
            if (chunk[4..8].SequenceEqual("IDAT"u8)) return false;
            at += 12 + BinaryPrimitives.ReadUInt32BigEndian(chunk);
        }
        return false;
    }
}
