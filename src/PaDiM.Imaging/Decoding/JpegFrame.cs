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

    /// <summary>libjpeg's limit.</summary>
    private const int MaxSide = 65_500;

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

    /// <summary>Gets the divisor of both sides, 1, 2, 4 or 8, with which a frame is decoded.</summary>
    /// <param name="minimum">The least size of the upright image; null for full size.</param>
    /// <param name="isSideways">Whether the frame lies on its side.</param>
    public int GetReduction(MinimumSize? minimum, bool isSideways = false)
    {
        if (minimum is null || !HasWholeRatios())
            return 1;
        // The same rule as Pillow's draft mode, so that others can prepare images in the same way.
        var largest = isSideways ? minimum.GetLargestDivisor(Height, Width) : minimum.GetLargestDivisor(Width, Height);
        foreach (var reduction in new[] { 8, 4, 2 })
            if (largest >= reduction && RoundUp(Math.Max(Width, Height), reduction) <= MaxSide)
                return reduction;
        return 1;
    }

    /// <summary>
    /// Gets the content of a frame header with both sides rounded up to multiples. libjpeg decodes a pixel for each
    /// part of the last multiple too, but libvips would drop it. Scans do not change: they consist of whole blocks of
    /// eight pixels.
    /// </summary>
    public static byte[] RoundUp(ReadOnlySpan<byte> content, int multiple)
    {
        var rounded = content.ToArray();
        foreach (var at in new[] { 1, 3 })
        {
            var side = rounded.AsSpan(at, 2);
            BinaryPrimitives.WriteUInt16BigEndian(
                side,
                (ushort)RoundUp(BinaryPrimitives.ReadUInt16BigEndian(side), multiple)
            );
        }
        return rounded;
    }

    /// <summary>
    /// Gets whether each component has 1/1, 1/2, ... of the full resolution. With 2/3, the number of blocks of a
    /// component would depend on the rounding.
    /// </summary>
    private bool HasWholeRatios() =>
        Components.All(component =>
            component is { Across: > 0, Down: > 0 }
            && Components.Max(other => other.Across) % component.Across == 0
            && Components.Max(other => other.Down) % component.Down == 0
        );

    private static int RoundUp(int side, int multiple) => (side + multiple - 1) / multiple * multiple;
}

/// <summary>A colour component of a JPEG.</summary>
/// <param name="Id">Its name in scan headers.</param>
/// <param name="Across">Its relative resolution across, 1 to 4.</param>
/// <param name="Down">Its relative resolution down, 1 to 4.</param>
internal readonly record struct JpegComponent(byte Id, int Across, int Down);
