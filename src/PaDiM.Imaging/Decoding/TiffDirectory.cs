using System.Buffers.Binary;

namespace PaDiM.Imaging.Decoding;

/// <summary>
/// Checks the first directory of a TIFF before libvips sees the file. libtiff follows the chain of directories to its
/// end, which takes seconds for a hundred thousand of them, and compressions that are image formats themselves fill
/// missing data with grey.
/// </summary>
internal static class TiffDirectory
{
    private const ushort CompressionTag = 259;
    private const int None = 1,
        Lzw = 5,
        Deflate = 8,
        OldDeflate = 32946,
        PackBits = 32773;

    /// <summary>Gets whether the first directory starts within the first bytes of a file.</summary>
    public static bool BeginsWithin(ReadOnlySpan<byte> beginning)
    {
        const int longestHeader = 16;
        if (beginning.Length < longestHeader)
            return false;
        var file = new Layout(beginning);
        return file.ReadOffset(file.IsBig ? 8 : 4) is >= 0 and var at && at < beginning.Length - longestHeader / 2;
    }

    /// <summary>Gets why the file is refused, or null.</summary>
    /// <exception cref="InvalidDataException">The first directory is missing or damaged.</exception>
    public static DecodeResult.Refused? Check(ReadOnlySpan<byte> tiff)
    {
        var file = new Layout(tiff);
        var at = file.ReadOffset(file.IsBig ? 8 : 4);
        var count = file.IsBig ? file.ReadUInt64(at) : file.ReadUInt16(at);
        if (count > ushort.MaxValue)
            throw new InvalidDataException("the directory has too many entries");
        var first = at + (file.IsBig ? 8 : 2);
        var entry = file.IsBig ? 20 : 12;
        for (var i = 0; i < count; i++)
        {
            if (file.ReadUInt16(first + i * entry) != CompressionTag)
                continue;
            var compression = file.ReadUInt16(first + i * entry + (file.IsBig ? 12 : 8));
            if (compression is not (None or Lzw or Deflate or OldDeflate or PackBits))
                return new DecodeResult.Refused(
                    ImageFault.Unsupported,
                    $"TIFF compression {compression} is not supported; "
                        + "save the image uncompressed, or with LZW, Deflate or PackBits."
                );
        }
        return file.ReadOffset(first + count * entry) == 0
            ? null
            : new DecodeResult.Refused(ImageFault.Animated, DecodeResult.SeveralFrames);
    }

    /// <summary>Reads numbers in the byte order of the file.</summary>
    private readonly ref struct Layout(ReadOnlySpan<byte> tiff)
    {
        private readonly ReadOnlySpan<byte> _tiff = tiff;
        private readonly bool _isLittleEndian = tiff[0] == 'I';

        /// <summary>Gets whether the file is a BigTIFF, with offsets of eight bytes.</summary>
        public bool IsBig { get; } = tiff[2] + tiff[3] == 43;

        public long ReadOffset(long at) =>
            IsBig
                ? ReadUInt64(at)
                : (uint)(
                    _isLittleEndian
                        ? BinaryPrimitives.ReadInt32LittleEndian(Slice(at, 4))
                        : BinaryPrimitives.ReadInt32BigEndian(Slice(at, 4))
                );

        public ushort ReadUInt16(long at) =>
            _isLittleEndian
                ? BinaryPrimitives.ReadUInt16LittleEndian(Slice(at, 2))
                : BinaryPrimitives.ReadUInt16BigEndian(Slice(at, 2));

        public long ReadUInt64(long at) =>
            _isLittleEndian
                ? BinaryPrimitives.ReadInt64LittleEndian(Slice(at, 8))
                : BinaryPrimitives.ReadInt64BigEndian(Slice(at, 8));

        private ReadOnlySpan<byte> Slice(long at, int length) =>
            at >= 0 && at <= _tiff.Length - length
                ? _tiff.Slice((int)at, length)
                : throw new InvalidDataException("the directory is missing");
    }
}
