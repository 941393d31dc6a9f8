using System.IO.Compression;

namespace PaDiM.Imaging.Decoding;

/// <summary>Unpacks strips and tiles of a TIFF. Data that ends before the last sample is an error.</summary>
/// <param name="file">The file.</param>
/// <param name="page">The page to read.</param>
internal sealed class TiffChunks(byte[] file, TiffPage page)
{
    private readonly TiffTag _offsets =
        page.IsTiled && page.Directory.Contains(TiffTag.TileOffsets) ? TiffTag.TileOffsets : TiffTag.StripOffsets;

    private readonly TiffTag _lengths =
        page.IsTiled && page.Directory.Contains(TiffTag.TileByteCounts)
            ? TiffTag.TileByteCounts
            : TiffTag.StripByteCounts;

    private readonly long _faxOptions = page.Directory.GetNumber(new TiffBytes(file), TiffTag.FaxOptions, 0);
    private byte[] _buffer = [];

    /// <summary>Gets the compressed bytes of a strip or tile.</summary>
    /// <exception cref="InvalidDataException">They lie outside of the file.</exception>
    public ReadOnlySpan<byte> GetCompressed(int index)
    {
        var at = GetOffset(index);
        var rest = Math.Max(0, file.Length - at);
        // Old writers left the lengths away. What is not compressed needs none: its length is known.
        var given = page.Directory.GetNumberAt(new TiffBytes(file), _lengths, index, missing: 0);
        var length = given > 0 ? given : rest;
        if (page.Compression == TiffCompression.None)
            length = Math.Min(length, rest);
        return new TiffBytes(file).Slice(at, length);
    }

    /// <summary>
    /// Gets the one picture of an old-style JPEG: its header is stored for itself, and the strip follows or is part of
    /// it.
    /// </summary>
    /// <exception cref="InvalidDataException">It lies outside of the file.</exception>
    public ReadOnlySpan<byte> GetOldJpeg()
    {
        var tiff = new TiffBytes(file);
        var start = page.Directory.GetNumber(tiff, TiffTag.OldJpegOffset, 0);
        var end = Math.Max(
            GetOffset(0) + GetCompressed(0).Length,
            start + page.Directory.GetNumber(tiff, TiffTag.OldJpegLength, 0)
        );
        return tiff.Slice(start, Math.Clamp(end, start, Math.Max(start, file.Length)) - start);
    }

    /// <summary>Gets the samples of a strip or tile, as stored.</summary>
    /// <param name="index">Its number.</param>
    /// <param name="rows">The rows that it must have.</param>
    /// <exception cref="InvalidDataException">It is damaged, or ends too early.</exception>
    public Span<byte> Unpack(int index, int rows) => Unpack(index, page.RowBytes * rows, rows);

    /// <summary>Gets the samples of a strip or tile of any length.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or ends too early.</exception>
    public Span<byte> Unpack(int index, long length, int rows)
    {
        var packed = GetCompressed(index);
        if (page.Compression == TiffCompression.None && packed.Length < length)
            throw new InvalidDataException("a strip or tile ends too early");
        if (_buffer.Length < length)
            _buffer = GC.AllocateUninitializedArray<byte>(checked((int)length));
        var unpacked = _buffer.AsSpan(0, (int)length);
        if (page.ReversesBits)
            packed = ReverseBits(packed);
        switch (page.Compression)
        {
            case TiffCompression.None:
                packed[..unpacked.Length].CopyTo(unpacked);
                break;
            case TiffCompression.PackBits:
                UnpackBits(packed, unpacked);
                break;
            case TiffCompression.Lzw:
                TiffLzw.Unpack(packed, unpacked);
                break;
            case TiffCompression.Deflate or TiffCompression.OldDeflate:
                Inflate(packed, unpacked);
                break;
            default:
                TiffFax.Unpack(packed, unpacked, page.ChunkWidth, rows, page.Compression, _faxOptions);
                break;
        }
        if (page.Predictor != 1 && page.Bits % 8 == 0)
            Integrate(unpacked, rows);
        return unpacked;
    }

    /// <summary>Gets the samples of an uncompressed strip or tile without a copy.</summary>
    /// <exception cref="InvalidDataException">It ends too early.</exception>
    public ReadOnlySpan<byte> GetUncompressed(int index, int rows) =>
        page.Compression == TiffCompression.None && !page.ReversesBits && page.Predictor == 1
            ? GetCompressed(index) is var bytes && bytes.Length >= page.RowBytes * rows
                ? bytes
                : throw new InvalidDataException("a strip or tile ends too early")
            : Unpack(index, rows);

    private long GetOffset(int index) =>
        page.Directory.GetNumberAt(new TiffBytes(file), _offsets, index, missing: -1) is >= 0 and var at
            ? at
            : throw new InvalidDataException("a strip or tile is missing");

    private static byte[] ReverseBits(ReadOnlySpan<byte> bytes)
    {
        var reversed = bytes.ToArray();
        for (var i = 0; i < reversed.Length; i++)
        {
            int value = reversed[i];
            value = (value & 0x55) << 1 | value >> 1 & 0x55;
            value = (value & 0x33) << 2 | value >> 2 & 0x33;
            reversed[i] = (byte)(value << 4 | value >> 4);
        }
        return reversed;
    }

    private static void UnpackBits(ReadOnlySpan<byte> packed, Span<byte> unpacked)
    {
        var from = 0;
        var to = 0;
        while (to < unpacked.Length)
        {
            if (from >= packed.Length)
                throw new InvalidDataException("a strip or tile ends too early");
            var header = (sbyte)packed[from++];
            if (header == sbyte.MinValue)
                continue;
            // Runs may stick out over the last sample.
            var count = Math.Min(header < 0 ? 1 - header : 1 + header, unpacked.Length - to);
            var length = header < 0 ? 1 : count;
            if (from + length > packed.Length)
                throw new InvalidDataException("a strip or tile ends too early");
            if (header < 0)
                unpacked.Slice(to, count).Fill(packed[from]);
            else
                packed.Slice(from, count).CopyTo(unpacked[to..]);
            from += length;
            to += count;
        }
    }

    private static unsafe void Inflate(ReadOnlySpan<byte> packed, Span<byte> unpacked)
    {
        fixed (byte* start = packed)
        {
            using var stream = new UnmanagedMemoryStream(start, packed.Length);
            using var inflated = new ZLibStream(stream, CompressionMode.Decompress);
            if (inflated.ReadAtLeast(unpacked, unpacked.Length, throwOnEndOfStream: false) < unpacked.Length)
                throw new InvalidDataException("a strip or tile ends too early");
            // Reading on makes zlib compare its checksum.
            inflated.ReadByte();
        }
    }

    /// <summary>Undoes the predictor: samples are stored as differences from the pixel on the left.</summary>
    private void Integrate(Span<byte> bytes, int rows)
    {
        var rowBytes = (int)page.RowBytes;
        for (var y = 0; y < rows; y++)
        {
            var row = bytes.Slice(y * rowBytes, rowBytes);
            if (page.Predictor == 3)
                IntegrateFloats(row);
            else
                Integrate(row);
        }
    }

    private void Integrate(Span<byte> row)
    {
        var step = page.SamplesPerChunk;
        var isLittleEndian = page.IsLittleEndian;
        var size = page.Bits / 8;
        if (size == 1)
        {
            for (var i = step; i < row.Length; i++)
                row[i] += row[i - step];
            return;
        }
        for (var i = step * size; i + size <= row.Length; i += size)
        {
            var carry = 0;
            for (var b = 0; b < size; b++)
            {
                // Byte by byte, from the lowest: any width, in either order.
                var at = i + (isLittleEndian ? b : size - 1 - b);
                carry += row[at] + row[at - step * size];
                row[at] = (byte)carry;
                carry >>= 8;
            }
        }
    }

    /// <summary>The bytes of floating-point numbers are stored apart, the highest of all numbers first.</summary>
    private void IntegrateFloats(Span<byte> row)
    {
        var step = page.SamplesPerChunk;
        for (var i = step; i < row.Length; i++)
            row[i] += row[i - step];
        var size = page.Bits / 8;
        var count = row.Length / size;
        var apart = row.ToArray();
        var isLittleEndian = page.IsLittleEndian;
        for (var i = 0; i < count; i++)
        for (var b = 0; b < size; b++)
            row[i * size + (isLittleEndian ? size - 1 - b : b)] = apart[b * count + i];
    }
}
