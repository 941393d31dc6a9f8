using System.Buffers.Binary;

namespace PaDiM.Imaging.Decoding;

/// <summary>The frame header of a JPEG.</summary>
/// <param name="IsProgressive">Whether the scans refine each other.</param>
/// <param name="Width">Pixels across, as stored.</param>
/// <param name="Height">Pixels down, as stored.</param>
/// <param name="Components">The colour components.</param>
internal sealed record JpegFrame(bool IsProgressive, int Width, int Height, IReadOnlyList<JpegComponent> Components)
{
    private const int FixedLength = 6,
        ComponentLength = 3;

    /// <summary>Reads a frame header.</summary>
    /// <param name="marker">Its marker, which tells the process.</param>
    /// <param name="content">The segment behind its length.</param>
    /// <exception cref="InvalidDataException">The header is damaged, or its variant is not supported.</exception>
    public static JpegFrame Read(byte marker, ReadOnlySpan<byte> content)
    {
        // Huffman baseline, extended and progressive, then the two with arithmetic coding.
        if (marker is not (0xC0 or 0xC1 or 0xC2 or 0xC9 or 0xCA))
            throw new InvalidDataException("lossless and hierarchical JPEGs are not supported; save it as baseline");
        if (content.Length < FixedLength || content.Length != FixedLength + ComponentLength * content[5])
            throw new InvalidDataException("the frame header is damaged");
        if (content[0] != 8)
            throw new InvalidDataException($"{content[0]} bits per sample are not supported; save it with 8 bits");
        var height = BinaryPrimitives.ReadUInt16BigEndian(content[1..]);
        var width = BinaryPrimitives.ReadUInt16BigEndian(content[3..]);
        if (width == 0 || height == 0)
            throw new InvalidDataException($"invalid image size {width} x {height}");
        var components = new JpegComponent[content[5]];
        for (var i = 0; i < components.Length; i++)
        {
            var at = FixedLength + ComponentLength * i;
            components[i] = new JpegComponent(content[at], content[at + 1] >> 4, content[at + 1] & 0xF);
        }
        return new JpegFrame(marker is 0xC2 or 0xCA, width, height, components);
    }
}

/// <summary>A colour component of a JPEG.</summary>
/// <param name="Id">Its name in scan headers.</param>
/// <param name="Across">Its relative resolution across, 1 to 4.</param>
/// <param name="Down">Its relative resolution down, 1 to 4.</param>
internal readonly record struct JpegComponent(byte Id, int Across, int Down);
