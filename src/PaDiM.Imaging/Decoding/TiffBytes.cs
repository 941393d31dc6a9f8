using System.Buffers.Binary;

namespace PaDiM.Imaging.Decoding;

/// <summary>Reads numbers of a TIFF, in the byte order of the file.</summary>
internal readonly ref struct TiffBytes(ReadOnlySpan<byte> tiff)
{
    private readonly ReadOnlySpan<byte> _tiff = tiff;

    public bool IsLittleEndian { get; } = tiff[0] == 'I';

    /// <summary>Gets whether the file is a BigTIFF, with offsets of eight bytes.</summary>
    public bool IsBig { get; } = tiff[2] + tiff[3] == 43;

    public int Length => _tiff.Length;

    /// <summary>Gets the offset of the first directory.</summary>
    public long ReadStart() => ReadOffset(IsBig ? 8 : 4);

    public long ReadOffset(long at) => IsBig ? ReadInt64(at) : ReadUInt32(at);

    public ushort ReadUInt16(long at) =>
        IsLittleEndian
            ? BinaryPrimitives.ReadUInt16LittleEndian(Slice(at, 2))
            : BinaryPrimitives.ReadUInt16BigEndian(Slice(at, 2));

    public uint ReadUInt32(long at) =>
        IsLittleEndian
            ? BinaryPrimitives.ReadUInt32LittleEndian(Slice(at, 4))
            : BinaryPrimitives.ReadUInt32BigEndian(Slice(at, 4));

    public long ReadInt64(long at) =>
        IsLittleEndian
            ? BinaryPrimitives.ReadInt64LittleEndian(Slice(at, 8))
            : BinaryPrimitives.ReadInt64BigEndian(Slice(at, 8));

    /// <summary>Gets a part of the file.</summary>
    /// <exception cref="InvalidDataException">It lies outside of the file.</exception>
    public ReadOnlySpan<byte> Slice(long at, long length) =>
        at >= 0 && length >= 0 && at <= _tiff.Length - length
            ? _tiff.Slice((int)at, (int)length)
            : throw new InvalidDataException("a part of it lies outside of the file");
}
