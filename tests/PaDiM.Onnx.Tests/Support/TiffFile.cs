namespace PaDiM.Onnx.Tests.Support;

/// <summary>TIFF files of one grey pixel a page.</summary>
internal static class TiffFile
{
    public static byte[] Grey(int pages, bool followsItself = false)
    {
        const int pixelAt = 8, firstPage = 10, entries = 8, pageLength = 2 + 12 * entries + 4;
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("II*\0"u8);
        writer.Write(firstPage);
        writer.Write((short)7);
        for (var page = 0; page < pages; page++)
        {
            writer.Write((short)entries);
            (short Tag, int Value)[] tags = [(256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, pixelAt), (278, 1), (279, 1)];
            foreach (var (tag, value) in tags)
            {
                writer.Write(tag);
                writer.Write((short)4);
                writer.Write(1);
                writer.Write(value);
            }
            writer.Write(followsItself ? firstPage : page + 1 < pages ? firstPage + (page + 1) * pageLength : 0);
        }
        return stream.ToArray();
    }
}
