using PaDiM.Engine.TestSupport;

namespace PaDiM.Imaging.Tests.Support;

/// <summary>Takes JPEGs apart and puts them together, as faulty software and cameras do.</summary>
internal static class JpegFile
{
    public static readonly byte[] Start = [0xFF, 0xD8],
        End = [0xFF, 0xD9];

    /// <summary>Creates a segment.</summary>
    public static byte[] Segment(byte marker, params byte[] content) =>
        [0xFF, marker, (byte)(content.Length + 2 >> 8), (byte)(content.Length + 2), .. content];

    /// <summary>Cuts a file into its start, its segments, scans with their data, and its end.</summary>
    public static List<byte[]> Split(byte[] file)
    {
        List<byte[]> parts = [file[..2]];
        for (var at = 2; file[at + 1] != 0xD9; )
        {
            var end = at + 2 + (file[at + 2] << 8 | file[at + 3]);
            if (file[at + 1] == 0xDA)
                while (file[end] != 0xFF || file[end + 1] is 0 or (>= 0xD0 and <= 0xD7))
                    end++;
            parts.Add(file[at..end]);
            at = end;
        }
        parts.Add(End);
        return parts;
    }

    public static byte[] Join(IEnumerable<byte[]> parts) => [.. parts.SelectMany(part => part)];

    /// <summary>Puts bytes in front of the part with an index.</summary>
    public static byte[] Insert(byte[] file, int index, byte[] bytes)
    {
        var parts = Split(file);
        parts.Insert(index, bytes);
        return Join(parts);
    }

    /// <summary>Changes the first part with a marker.</summary>
    public static byte[] Change(byte[] file, byte marker, Func<byte[], byte[]> change)
    {
        var parts = Split(file);
        var index = parts.FindIndex(part => part[1] == marker);
        parts[index] = change(parts[index]);
        return Join(parts);
    }

    /// <summary>
    /// Creates a file of three components of equal samples, each in a scan of its own: what is no grey image in the
    /// file, but grey if the file says that it is RGB.
    /// </summary>
    public static List<byte[]> ThreeScans(RgbImage image)
    {
        using var pixels = image.Vips();
        using var grey = pixels.Colourspace(NetVips.Enums.Interpretation.Bw);
        var parts = Split(grey.JpegsaveBuffer(keep: NetVips.Enums.ForeignKeep.None));
        parts.RemoveAll(part => part[1] is 0xE0);
        var frame = parts.FindIndex(part => part[1] == 0xC0);
        parts[frame] = Segment(
            0xC0,
            [.. parts[frame][4..9], 3, .. "RGB".SelectMany(id => new[] { (byte)id, (byte)0x11, (byte)0 })]
        );
        var scan = parts.FindIndex(part => part[1] == 0xDA);
        var data = parts[scan];
        parts.RemoveAt(scan);
        parts.InsertRange(scan, "RGB".Select(id => (byte[])[.. data[..5], (byte)id, .. data[6..]]));
        return parts;
    }
}
