namespace PaDiM.Imaging.Decoding;

/// <summary>The tags of one page of a TIFF.</summary>
internal sealed class TiffDirectory
{
    /// <summary>libtiff's limit.</summary>
    private const int MaxEntries = 4096;

    /// <summary>A palette of 16 bits has most. Offsets of strips may be more, and are read one by one.</summary>
    private const int MaxValues = 3 << 16;

    private readonly Dictionary<int, (int Type, long Count, long At)> _entries = [];

    private TiffDirectory() { }

    /// <summary>Gets the offset of the next directory, 0 for none.</summary>
    public long Next { get; private init; }

    /// <summary>Reads a directory; values that lie elsewhere in the file are read later.</summary>
    /// <exception cref="InvalidDataException">The directory lies outside of the file.</exception>
    public static TiffDirectory Read(TiffBytes file, long at)
    {
        var (countLength, entryLength, valueLength) = file.IsBig ? (8, 20, 8) : (2, 12, 4);
        var count = file.IsBig ? file.ReadInt64(at) : file.ReadUInt16(at);
        if (count is < 0 or > MaxEntries)
            throw new InvalidDataException("the directory has too many entries");
        // One check for all of it.
        file.Slice(at, countLength + count * entryLength + valueLength);
        var directory = new TiffDirectory { Next = file.ReadOffset(at + countLength + count * entryLength) };
        for (var i = 0; i < count; i++)
        {
            var entry = at + countLength + i * entryLength;
            var type = file.ReadUInt16(entry + 2);
            var values = file.IsBig ? file.ReadInt64(entry + 4) : file.ReadUInt32(entry + 4);
            // A count that is damaged must not look like a tag that is missing: its default would make up the pixels.
            if (values is < 0 or > int.MaxValue)
                throw new InvalidDataException("a tag has too many values");
            // Of tags that are there twice, the first one counts, as for libtiff.
            if (GetSize(type) is > 0 and var size && values > 0)
                directory._entries.TryAdd(
                    file.ReadUInt16(entry),
                    (
                        type,
                        values,
                        size * values <= valueLength
                            ? entry + entryLength - valueLength
                            : file.ReadOffset(entry + entryLength - valueLength)
                    )
                );
        }
        return directory;
    }

    /// <summary>
    /// Checks that the values of all tags are there, also of those that are not read: else the file was cut.
    /// </summary>
    /// <exception cref="InvalidDataException">A value lies outside of the file.</exception>
    public void CheckValues(TiffBytes file)
    {
        foreach (var (type, count, at) in _entries.Values)
            file.Slice(at, GetSize(type) * count);
    }

    /// <summary>Gets whether there is a tag.</summary>
    public bool Contains(TiffTag tag) => _entries.ContainsKey((int)tag);

    /// <summary>Gets the number of values of a tag, 0 if it is missing.</summary>
    public long Count(TiffTag tag) => _entries.TryGetValue((int)tag, out var entry) ? entry.Count : 0;

    /// <summary>Gets the first value of a tag, or the default if it is missing.</summary>
    /// <exception cref="InvalidDataException">The value lies outside of the file, or is not a whole number.</exception>
    public long GetNumber(TiffBytes file, TiffTag tag, long missing) =>
        _entries.TryGetValue((int)tag, out var entry) ? ReadWhole(file, entry.Type, entry.At) : missing;

    /// <summary>Gets one value of a tag, or the default if there are not so many.</summary>
    /// <exception cref="InvalidDataException">The value lies outside of the file, or is not a whole number.</exception>
    public long GetNumberAt(TiffBytes file, TiffTag tag, int index, long missing) =>
        _entries.TryGetValue((int)tag, out var entry) && index < entry.Count
            ? ReadWhole(file, entry.Type, entry.At + (long)index * GetSize(entry.Type))
            : missing;

    /// <summary>Gets the values of a tag; none if it is missing.</summary>
    /// <exception cref="InvalidDataException">A value lies outside of the file, or is not a whole number; or they are
    /// too many.</exception>
    public long[] GetNumbers(TiffBytes file, TiffTag tag)
    {
        if (!TryGetEntry(file, tag, out var entry))
            return [];
        var size = GetSize(entry.Type);
        var numbers = new long[entry.Count];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = ReadWhole(file, entry.Type, entry.At + (long)i * size);
        return numbers;
    }

    /// <summary>Gets the values of a tag of any numeric type; none if it is missing.</summary>
    /// <exception cref="InvalidDataException">A value lies outside of the file, or they are too many.</exception>
    public double[] GetReals(TiffBytes file, TiffTag tag)
    {
        if (!TryGetEntry(file, tag, out var entry))
            return [];
        var size = GetSize(entry.Type);
        var reals = new double[entry.Count];
        for (var i = 0; i < reals.Length; i++)
        {
            var at = entry.At + (long)i * size;
            reals[i] = entry.Type switch
            {
                5 => file.ReadUInt32(at) / (double)file.ReadUInt32(at + 4),
                10 => (int)file.ReadUInt32(at) / (double)(int)file.ReadUInt32(at + 4),
                11 => BitConverter.UInt32BitsToSingle(file.ReadUInt32(at)),
                12 => BitConverter.Int64BitsToDouble(file.ReadInt64(at)),
                _ => ReadWhole(file, entry.Type, at),
            };
        }
        return reals;
    }

    /// <summary>Gets the bytes of a tag; none if it is missing.</summary>
    /// <exception cref="InvalidDataException">They lie outside of the file.</exception>
    public ReadOnlySpan<byte> GetBytes(TiffBytes file, TiffTag tag) =>
        _entries.TryGetValue((int)tag, out var entry) ? file.Slice(entry.At, GetSize(entry.Type) * entry.Count) : [];

    /// <summary>Finds a tag of which all values are read: tags may share their values, and each copy takes memory.</summary>
    private bool TryGetEntry(TiffBytes file, TiffTag tag, out (int Type, long Count, long At) entry)
    {
        if (!_entries.TryGetValue((int)tag, out entry))
            return false;
        if (entry.Count > MaxValues)
            throw new InvalidDataException("a tag has too many values");
        file.Slice(entry.At, GetSize(entry.Type) * entry.Count);
        return true;
    }

    private static long ReadWhole(TiffBytes file, int type, long at) =>
        type switch
        {
            1 or 2 or 7 => file.Slice(at, 1)[0],
            6 => (sbyte)file.Slice(at, 1)[0],
            3 => file.ReadUInt16(at),
            8 => (short)file.ReadUInt16(at),
            4 or 13 => file.ReadUInt32(at),
            9 => (int)file.ReadUInt32(at),
            16 or 17 or 18 => file.ReadInt64(at),
            _ => throw new InvalidDataException("a tag has values of the wrong kind"),
        };

    private static int GetSize(int type) =>
        type switch
        {
            1 or 2 or 6 or 7 => 1,
            3 or 8 => 2,
            4 or 9 or 11 or 13 => 4,
            5 or 10 or 12 or 16 or 17 or 18 => 8,
            _ => 0,
        };
}
