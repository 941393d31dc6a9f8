using System.Buffers.Binary;

namespace PaDiM.Imaging.Decoding;

/// <summary>
/// The first directory of a TIFF, read before libvips sees the file: libtiff follows the chain of directories to its
/// end, which takes it seconds where there are a hundred thousand, and compressions that are image formats of their own
/// fill up what is missing with grey.
/// </summary>
internal static class TiffDirectory
{
    private const ushort CompressionTag = 259;
    private const int None = 1,
        Lzw = 5,
        Deflate = 8,
        OldDeflate = 32946,
        PackBits = 32773;

    /// <summary>Whether the first directory begins within the first bytes of a file.</summary>
    public static bool BeginsWithin(ReadOnlySpan<byte> beginning)
    {
        const int longestHeader = 16;
        if (beginning.Length < longestHeader)
            return false;
        var file = new Layout(beginning);
        return file.Offset(file.Big ? 8 : 4) is >= 0 and var at && at < beginning.Length - longestHeader / 2;
    }

    /// <summary>Why the file is not read, or null.</summary>
    /// <exception cref="InvalidDataException">Its first directory is not there.</exception>
    public static DecodeResult.Refused? FindFault(ReadOnlySpan<byte> tiff)
    {
        var file = new Layout(tiff);
        var at = file.Offset(file.Big ? 8 : 4);
        var count = file.Big ? file.Long(at) : file.Short(at);
        if (count > ushort.MaxValue)
            throw new InvalidDataException("its directory has too many entries");
        var first = at + (file.Big ? 8 : 2);
        var entry = file.Big ? 20 : 12;
        for (var i = 0; i < count; i++)
        {
            if (file.Short(first + i * entry) != CompressionTag)
                continue;
            var compression = file.Short(first + i * entry + (file.Big ? 12 : 8));
            if (compression is not (None or Lzw or Deflate or OldDeflate or PackBits))
                return new DecodeResult.Refused(
                    ImageFault.Unsupported,
                    $"TIFF compression {compression} is not read; save the image uncompressed, or with LZW, Deflate or PackBits."
                );
        }
        return file.Offset(first + count * entry) == 0
            ? null
            : new DecodeResult.Refused(ImageFault.Animated, DecodeResult.SeveralFrames);
    }

    /// <summary>Numbers in the file's own byte order.</summary>
    private readonly ref struct Layout(ReadOnlySpan<byte> tiff)
    {
        private readonly ReadOnlySpan<byte> _tiff = tiff;
        private readonly bool _little = tiff[0] == 'I';

        /// <summary>Whether it is a BigTIFF, whose offsets have eight bytes.</summary>
        public bool Big { get; } = tiff[2] + tiff[3] == 43;

        public long Offset(long at) =>
            Big
                ? Long(at)
                : (uint)(
                    _little
                        ? BinaryPrimitives.ReadInt32LittleEndian(At(at, 4))
                        : BinaryPrimitives.ReadInt32BigEndian(At(at, 4))
                );

        public ushort Short(long at) =>
            _little
                ? BinaryPrimitives.ReadUInt16LittleEndian(At(at, 2))
                : BinaryPrimitives.ReadUInt16BigEndian(At(at, 2));

        public long Long(long at) =>
            _little
                ? BinaryPrimitives.ReadInt64LittleEndian(At(at, 8))
                : BinaryPrimitives.ReadInt64BigEndian(At(at, 8));

        private ReadOnlySpan<byte> At(long at, int length) =>
            at >= 0 && at <= _tiff.Length - length
                ? _tiff.Slice((int)at, length)
                : throw new InvalidDataException("its directory is missing");
    }
}
