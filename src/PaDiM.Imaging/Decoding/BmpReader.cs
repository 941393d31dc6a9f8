using System.Buffers.Binary;
using System.Numerics;

namespace PaDiM.Imaging.Decoding;

/// <summary>
/// Reads the bitmaps that cameras and frame grabbers send: uncompressed, 1, 4, 8 (palette), 16, 24 or 32 bits per
/// pixel, with or without bit masks, bottom-up or top-down. Run-length encoded bitmaps are refused.
/// </summary>
internal sealed class BmpReader
{
    private const int FileHeader = 14;
    private const int Rgb = 0,
        BitFields = 3,
        AlphaBitFields = 6;
    private static readonly uint[] Masks16 = [0x7C00, 0x03E0, 0x001F];
    private static readonly uint[] Masks32 = [0x00FF0000, 0x0000FF00, 0x000000FF];

    private BmpReader() { }

    public int Width { get; private init; }

    public int Height { get; private init; }

    private bool TopDown { get; init; }

    private int Bits { get; init; }

    private int PixelOffset { get; init; }

    private uint[] Masks { get; init; } = [];

    private byte[] Palette { get; init; } = [];

    /// <summary>Reads and checks the header; decodes no pixel.</summary>
    /// <exception cref="InvalidDataException">The header is damaged, or its variant is not supported.</exception>
    public static BmpReader ReadHeader(ReadOnlySpan<byte> file)
    {
        if (file.Length < FileHeader + 12)
            throw new InvalidDataException("the header is truncated");
        var size = ReadInt32(file, FileHeader);
        if (size < 12 || size > file.Length - FileHeader)
            throw new InvalidDataException("invalid header length");
        var old = size < 40;
        var info = file.Slice(FileHeader, size);
        var width = old ? BinaryPrimitives.ReadUInt16LittleEndian(info[4..]) : ReadInt32(info, 4);
        var height = old ? BinaryPrimitives.ReadUInt16LittleEndian(info[6..]) : ReadInt32(info, 8);
        var bits = BinaryPrimitives.ReadUInt16LittleEndian(info[(old ? 10 : 14)..]);
        var compression = old ? Rgb : ReadInt32(info, 16);
        if (width <= 0 || height is 0 or int.MinValue)
            throw new InvalidDataException($"invalid image size {width} x {height}");
        if (bits is not (1 or 4 or 8 or 16 or 24 or 32))
            throw new InvalidDataException($"{bits} bits per pixel are not supported");
        if (compression is not (Rgb or BitFields or AlphaBitFields) || (compression != Rgb && bits is not (16 or 32)))
            throw new InvalidDataException(
                "compressed bitmaps are not supported; save the image uncompressed or as PNG"
            );
        return new BmpReader
        {
            Width = width,
            Height = Math.Abs(height),
            TopDown = height < 0,
            Bits = bits,
            PixelOffset = ReadInt32(file, 10),
            Masks = compression == Rgb ? (bits == 16 ? Masks16 : Masks32) : ReadMasks(file, size),
            Palette =
                bits <= 8 ? ReadPalette(file, FileHeader + size, old ? 3 : 4, old ? 0 : ReadInt32(info, 32), bits) : [],
        };
    }

    /// <summary>Decodes the pixels.</summary>
    /// <exception cref="InvalidDataException">The file ends before the last pixel.</exception>
    public RgbImage Decode(ReadOnlySpan<byte> file)
    {
        var stride = ((long)Width * Bits + 31) / 32 * 4;
        if (PixelOffset < FileHeader || (file.Length - PixelOffset) / stride < Height)
            throw new InvalidDataException("the pixels are truncated");
        var pixels = new byte[checked(Width * Height * 3)];
        for (var y = 0; y < Height; y++)
        {
            var row = file.Slice((int)(PixelOffset + stride * (TopDown ? y : Height - 1 - y)), (int)stride);
            var target = pixels.AsSpan(y * Width * 3, Width * 3);
            if (Bits == 24)
                PixelLayout.Reverse(row, target);
            else if (Bits <= 8)
                LookUp(row, target);
            else
                Unmask(row, target);
        }
        return new RgbImage(Width, Height, pixels);
    }

    private void LookUp(ReadOnlySpan<byte> row, Span<byte> rgb)
    {
        var perByte = 8 / Bits;
        for (var x = 0; x < Width; x++)
        {
            var index = row[x / perByte] >> (8 - Bits * (x % perByte + 1)) & (1 << Bits) - 1;
            Palette.AsSpan(index * 3, 3).CopyTo(rgb[(x * 3)..]);
        }
    }

    private void Unmask(ReadOnlySpan<byte> row, Span<byte> rgb)
    {
        for (var x = 0; x < Width; x++)
        {
            var pixel =
                Bits == 16
                    ? BinaryPrimitives.ReadUInt16LittleEndian(row[(2 * x)..])
                    : BinaryPrimitives.ReadUInt32LittleEndian(row[(4 * x)..]);
            for (var c = 0; c < 3; c++)
            {
                var shift = BitOperations.TrailingZeroCount(Masks[c]);
                rgb[3 * x + c] = (byte)(((pixel & Masks[c]) >> shift) * 255 / (Masks[c] >> shift));
            }
        }
    }

    private static uint[] ReadMasks(ReadOnlySpan<byte> file, int headerSize)
    {
        // The masks are the last fields of the longer headers, or follow the short one: the offset is the same.
        const int at = FileHeader + 40;
        if (headerSize < 40 || file.Length < at + 12)
            throw new InvalidDataException("the bit masks are missing");
        var masks = new uint[3];
        for (var c = 0; c < 3; c++)
        {
            masks[c] = BinaryPrimitives.ReadUInt32LittleEndian(file[(at + 4 * c)..]);
            var run = masks[c] == 0 ? 0 : masks[c] >> BitOperations.TrailingZeroCount(masks[c]);
            if (run == 0 || run > 0xFFFF || (run & run + 1) != 0)
                throw new InvalidDataException("invalid bit masks");
        }
        return masks;
    }

    private static byte[] ReadPalette(ReadOnlySpan<byte> file, int at, int entrySize, int used, int bits)
    {
        var count = used is > 0 and <= 256 ? used : 1 << bits;
        if ((long)at + count * entrySize > file.Length)
            throw new InvalidDataException("the palette is truncated");
        var palette = new byte[256 * 3];
        for (var i = 0; i < count; i++)
        {
            var entry = file.Slice(at + i * entrySize, 3);
            palette[3 * i] = entry[2];
            palette[3 * i + 1] = entry[1];
            palette[3 * i + 2] = entry[0];
        }
        return palette;
    }

    private static int ReadInt32(ReadOnlySpan<byte> bytes, int at) =>
        BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]);
}
