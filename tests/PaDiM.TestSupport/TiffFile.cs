namespace PaDiM.TestSupport;

/// <summary>TIFF files of one grey pixel a page.</summary>
public static class TiffFile
{
    /// <summary>One page of these tags and two bytes of data, at 8.</summary>
    public static byte[] Page(params (short Tag, int Value)[] tags)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("II*\0"u8);
        writer.Write(10);
        writer.Write((short)7);
        writer.Write((short)tags.Length);
        foreach (var (tag, value) in tags)
        {
            writer.Write(tag);
            writer.Write((short)4);
            writer.Write(1);
            writer.Write(value);
        }
        writer.Write(0);
        return stream.ToArray();
    }

    /// <summary>The page with the lengths of its tiles or strips halved, where each has one.</summary>
    public static byte[] WithHalfOfItsData(byte[] tiff)
    {
        var halved = tiff.ToArray();
        var directory = BitConverter.ToInt32(tiff, 4);
        for (
            var entry = directory + 2;
            entry < directory + 2 + 12 * BitConverter.ToUInt16(tiff, directory);
            entry += 12
        )
            if (BitConverter.ToUInt16(tiff, entry) is 279 or 325)
                BitConverter.TryWriteBytes(
                    halved.AsSpan(entry + 8),
                    (
                        BitConverter.ToUInt16(tiff, entry + 2) == 3
                            ? BitConverter.ToUInt16(tiff, entry + 8)
                            : BitConverter.ToInt32(tiff, entry + 8)
                    ) / 2
                );
        return halved;
    }

    public static byte[] Grey(int pages, bool followsItself = false)
    {
        const int pixelAt = 8,
            firstPage = 10,
            entries = 8,
            pageLength = 2 + 12 * entries + 4;
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("II*\0"u8);
        writer.Write(firstPage);
        writer.Write((short)7);
        for (var page = 0; page < pages; page++)
        {
            writer.Write((short)entries);
            (short Tag, int Value)[] tags =
            [
                (256, 1),
                (257, 1),
                (258, 8),
                (259, 1),
                (262, 1),
                (273, pixelAt),
                (278, 1),
                (279, 1),
            ];
            foreach (var (tag, value) in tags)
            {
                writer.Write(tag);
                writer.Write((short)4);
                writer.Write(1);
                writer.Write(value);
            }
            writer.Write(
                followsItself ? firstPage
                : page + 1 < pages ? firstPage + (page + 1) * pageLength
                : 0
            );
        }
        return stream.ToArray();
    }
}
