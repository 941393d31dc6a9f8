using System.Buffers.Binary;
using System.Numerics;

namespace PaDiM.Imaging.Decoding;

/// <summary>
/// Reads the bitmaps that cameras and frame grabbers send: 1, 2, 4, 8 (palette), 16, 24 or 32 bits per pixel, with or
/// without bit masks and alpha, bottom-up or top-down, uncompressed or run-length encoded.
/// </summary>
internal sealed class BmpReader
{
    private const int FileHeader = 14,
        OldHeader = 12,
        Os2Header = 64;
    private const int Rgb = 0,
        RunLengths8 = 1,
        RunLengths4 = 2,
        BitFields = 3,
        AlphaBitFields = 6;
    private static readonly uint[] Masks16 = [0x7C00, 0x03E0, 0x001F, 0];
    private static readonly uint[] Masks32 = [0x00FF0000, 0x0000FF00, 0x000000FF, 0];

    private BmpReader() { }

    public int Width { get; private init; }

    public int Height { get; private init; }

    public bool HasAlpha => Masks[3] != 0;

    private bool TopDown { get; init; }

    private int Bits { get; init; }

    private int Compression { get; init; }

    private int HeadersEnd { get; init; }

    /// <summary>Gets whether the header says how many colours the palette has.</summary>
    private bool HasExactPalette { get; init; }

    /// <summary>Gets the masks of red, green, blue and alpha; the last one is 0 without alpha.</summary>
    private uint[] Masks { get; init; } = [];

    private byte[] Palette { get; init; } = [];

    /// <summary>Reads and checks the header; decodes no pixel.</summary>
    /// <exception cref="InvalidDataException">The header is damaged, or its variant is not supported.</exception>
    public static BmpReader ReadHeader(ReadOnlySpan<byte> file)
    {
        if (file.Length < FileHeader + OldHeader)
            throw new InvalidDataException("the header is truncated");
        var size = ReadInt32(file, FileHeader);
        if (size is not OldHeader and < 16 || size > file.Length - FileHeader)
            throw new InvalidDataException("invalid header length");
        var old = size == OldHeader;
        var info = file.Slice(FileHeader, size);
        var width = old ? BinaryPrimitives.ReadUInt16LittleEndian(info[4..]) : ReadInt32(info, 4);
        var height = old ? BinaryPrimitives.ReadUInt16LittleEndian(info[6..]) : ReadInt32(info, 8);
        var bits = BinaryPrimitives.ReadUInt16LittleEndian(info[(old ? 10 : 14)..]);
        var compression = size >= 20 ? ReadInt32(info, 16) : Rgb;
        if (width <= 0 || height is 0 or int.MinValue)
            throw new InvalidDataException($"invalid image size {width} x {height}");
        if (bits is not (1 or 2 or 4 or 8 or 16 or 24 or 32))
            throw new InvalidDataException($"{bits} bits per pixel are not supported");
        var isSupported = compression switch
        {
            Rgb => true,
            RunLengths8 => bits == 8,
            RunLengths4 => bits == 4,
            BitFields or AlphaBitFields => bits is 16 or 32 && size != Os2Header,
            _ => false,
        };
        if (!isSupported)
            throw new InvalidDataException(
                "this compression of bitmaps is not supported; save the image uncompressed or as PNG"
            );
        var hasMasks = compression is BitFields or AlphaBitFields;
        var used = size >= 36 ? ReadInt32(info, 32) : 0;
        var colours =
            bits > 8 ? 0
            : used is > 0 and <= 256 ? used
            : 1 << bits;
        var end = FileHeader + size + colours * (old ? 3 : 4) + (hasMasks && size == 40 ? 12 : 0);
        return new BmpReader
        {
            Width = width,
            Height = Math.Abs(height),
            TopDown = height < 0,
            Bits = bits,
            Compression = compression,
            HeadersEnd = end,
            HasExactPalette = used > 0,
            Masks =
                hasMasks ? ReadMasks(file, size, compression, bits)
                : bits == 16 ? Masks16
                : Masks32,
            Palette = bits <= 8 ? ReadPalette(file, FileHeader + size, old ? 3 : 4, colours) : [],
        };
    }

    /// <summary>
    /// Finds the pixels: where the file says, or behind the headers. Some writers leave the offset away, and some let
    /// it point into a palette that is longer.
    /// </summary>
    private int FindPixels(ReadOnlySpan<byte> file)
    {
        var offset = ReadInt32(file, 10);
        return offset == 0 || (offset > 0 && offset < HeadersEnd && HasExactPalette && HasPixels(file, HeadersEnd))
            ? HeadersEnd
            : offset;
    }

    /// <summary>
    /// Gets whether all rows are there. Some writers leave away the padding of the last one, which holds no pixel; the
    /// length in the header then tells such a file from one that was cut short.
    /// </summary>
    private bool HasPixels(ReadOnlySpan<byte> file, long offset)
    {
        var stride = ((long)Width * Bits + 31) / 32 * 4;
        var present = file.Length - offset;
        if (present / stride >= Height)
            return true;
        return (uint)ReadInt32(file, 2) <= file.Length
            && present / stride == Height - 1
            && present % stride >= ((long)Width * Bits + 7) / 8;
    }

    /// <summary>Decodes the pixels.</summary>
    /// <exception cref="InvalidDataException">The file ends before the last pixel, or is damaged.</exception>
    public RgbImage Decode(ReadOnlySpan<byte> file)
    {
        var offset = FindPixels(file);
        var isPacked = Compression is RunLengths8 or RunLengths4;
        if (offset < FileHeader || offset > file.Length || (!isPacked && !HasPixels(file, offset)))
            throw new InvalidDataException("the pixels are truncated");
        var stored = file[offset..];
        var stride = ((long)Width * Bits + 31) / 32 * 4;
        var canvas = new PixelCanvas(Width, Height, 3, HasAlpha);
        if (isPacked)
            UnpackRuns(stored, canvas);
        else
            for (var y = 0; y < Height; y++)
            {
                var row = stored[(int)(stride * GetStoredRow(y))..];
                var target = canvas.GetRow(0, y, Width);
                if (Bits == 24)
                    PixelLayout.Reverse(row, target);
                else if (Bits <= 8)
                    LookUp(row, target);
                else
                    Unmask(row, target, canvas.Alpha is null ? [] : canvas.Alpha.AsSpan(y * Width, Width));
            }
        canvas.Flatten();
        return new RgbImage(Width, Height, canvas.Samples);
    }

    /// <summary>Gets the position of a row in the file, or of one of the file in the image.</summary>
    private int GetStoredRow(int y) => TopDown ? y : Height - 1 - y;

    private void LookUp(ReadOnlySpan<byte> row, Span<byte> rgb)
    {
        var perByte = 8 / Bits;
        for (var x = 0; x < Width; x++)
        {
            var index = row[x / perByte] >> (8 - Bits * (x % perByte + 1)) & (1 << Bits) - 1;
            Palette.AsSpan(index * 3, 3).CopyTo(rgb[(x * 3)..]);
        }
    }

    /// <summary>
    /// Unpacks runs. Pixels that a bitmap jumps over have the first colour of the palette, as everywhere else; but the
    /// data must go on to the last row.
    /// </summary>
    private void UnpackRuns(ReadOnlySpan<byte> packed, PixelCanvas canvas)
    {
        const int endOfRow = 0,
            endOfImage = 1,
            jump = 2;
        for (var i = 0; i < canvas.Samples.Length; i += 3)
            Palette.AsSpan(0, 3).CopyTo(canvas.Samples.AsSpan(i));
        var perByte = 8 / Bits;
        int at = 0,
            x = 0,
            y = 0;
        while (y < Height - 1 || (y == Height - 1 && x < Width))
        {
            var (first, second) = (Take(packed, ref at), Take(packed, ref at));
            if (first > 0)
            {
                Put(first, [second], isRun: true);
                continue;
            }
            switch (second)
            {
                case endOfRow:
                    x = 0;
                    y++;
                    break;
                case endOfImage:
                    throw new InvalidDataException("the pixels are truncated");
                case jump:
                    x += Take(packed, ref at);
                    y += Take(packed, ref at);
                    if (x > Width || y >= Height)
                        throw new InvalidDataException("the pixels are damaged");
                    break;
                default:
                    // As they are, padded to two bytes.
                    var length = (second + perByte - 1) / perByte;
                    if (at + length > packed.Length)
                        throw new InvalidDataException("the pixels are truncated");
                    Put(second, packed.Slice(at, length), isRun: false);
                    at += length + length % 2;
                    break;
            }
        }

        void Put(int count, ReadOnlySpan<byte> indices, bool isRun)
        {
            // Some writers let the last run of a row stick out.
            count = Math.Min(count, Width - x);
            var target = canvas.GetRow(x, GetStoredRow(y), count);
            for (var i = 0; i < count; i++)
            {
                var packedIndices = indices[isRun ? 0 : i / perByte];
                var index =
                    perByte == 1 ? packedIndices
                    : i % 2 == 0 ? packedIndices >> 4
                    : packedIndices & 15;
                Palette.AsSpan(index * 3, 3).CopyTo(target[(3 * i)..]);
            }
            x += count;
        }
    }

    private static byte Take(ReadOnlySpan<byte> bytes, ref int at) =>
        at < bytes.Length ? bytes[at++] : throw new InvalidDataException("the pixels are truncated");

    private void Unmask(ReadOnlySpan<byte> row, Span<byte> rgb, Span<byte> alpha)
    {
        for (var x = 0; x < Width; x++)
        {
            var pixel =
                Bits == 16
                    ? BinaryPrimitives.ReadUInt16LittleEndian(row[(2 * x)..])
                    : BinaryPrimitives.ReadUInt32LittleEndian(row[(4 * x)..]);
            for (var c = 0; c < 3; c++)
                rgb[3 * x + c] = Unmask(pixel, Masks[c]);
            if (!alpha.IsEmpty)
                alpha[x] = Unmask(pixel, Masks[3]);
        }
    }

    private static byte Unmask(uint pixel, uint mask)
    {
        var shift = BitOperations.TrailingZeroCount(mask);
        return (byte)(((pixel & mask) >> shift) * 255 / (mask >> shift));
    }

    private static uint[] ReadMasks(ReadOnlySpan<byte> file, int headerSize, int compression, int bits)
    {
        // The masks are the last fields of the longer headers, or follow the short one: the offset is the same.
        const int at = FileHeader + 40;
        const int headerWithAlpha = 56;
        if (headerSize < 40 || file.Length < at + 16)
            throw new InvalidDataException("the bit masks are missing");
        var masks = new uint[4];
        // A bit of 16 is spare more often than it is alpha.
        var hasAlpha = bits == 32 && (headerSize >= headerWithAlpha || compression == AlphaBitFields);
        for (var c = 0; c < (hasAlpha ? 4 : 3); c++)
        {
            masks[c] = BinaryPrimitives.ReadUInt32LittleEndian(file[(at + 4 * c)..]);
            var run = masks[c] == 0 ? 0 : masks[c] >> BitOperations.TrailingZeroCount(masks[c]);
            if (run == 0 ? c < 3 : run > 0xFFFF || (run & run + 1) != 0)
                throw new InvalidDataException("invalid bit masks");
        }
        return masks;
    }

    private static byte[] ReadPalette(ReadOnlySpan<byte> file, int at, int entrySize, int count)
    {
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
