namespace PaDiM.Imaging.Tests.Support;

/// <summary>TIFF files made tag by tag, little-endian, with one strip (or tile) a page.</summary>
internal static class ReferenceTiff
{
    /// <summary>The tags of one grey pixel.</summary>
    public static (int Tag, int Type, int[] Values)[] Grey8 => Describe(1, 1, 8, 1, 1);

    /// <summary>The tags that every page has.</summary>
    public static (int Tag, int Type, int[] Values)[] Describe(
        int width,
        int height,
        int bits,
        int samples,
        int photometric
    ) =>
        [
            (256, 4, [width]),
            (257, 4, [height]),
            (258, 3, [.. Enumerable.Repeat(bits, samples)]),
            (259, 3, [1]),
            (262, 3, [photometric]),
            (277, 3, [samples]),
        ];

    public static byte[] Create(params ((int Tag, int Type, int[] Values)[] Tags, byte[] Strip)[] pages)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("II*\0"u8);
        writer.Write(0);
        var link = 4L;
        foreach (var (given, strip) in pages)
        {
            var isTiled = Array.Exists(given, tag => tag.Tag == 322);
            (int Tag, int Type, int[] Values)[] tags =
            [
                .. given,
                (isTiled ? 324 : 273, 4, [(int)stream.Position]),
                (isTiled ? 325 : 279, 4, [strip.Length]),
            ];
            writer.Write(strip);
            var places = new Dictionary<int, int>();
            foreach (var (tag, type, values) in tags.Where(tag => tag.Values.Length * (tag.Type == 3 ? 2 : 4) > 4))
            {
                places[tag] = (int)stream.Position;
                foreach (var value in values)
                    Write(type, value);
            }
            var directory = stream.Position;
            stream.Position = link;
            writer.Write((int)directory);
            stream.Position = directory;
            writer.Write((short)tags.Length);
            foreach (var (tag, type, values) in tags.OrderBy(tag => tag.Tag))
            {
                writer.Write((short)tag);
                writer.Write((short)type);
                writer.Write(values.Length);
                var end = stream.Position + 4;
                if (places.TryGetValue(tag, out var place))
                    writer.Write(place);
                else
                    foreach (var value in values)
                        Write(type, value);
                while (stream.Position < end)
                    writer.Write((byte)0);
            }
            link = stream.Position;
            writer.Write(0);
        }
        return stream.ToArray();

        void Write(int type, int value)
        {
            if (type == 3)
                writer.Write((ushort)value);
            else
                writer.Write(value);
        }
    }
}
