using System.Buffers.Binary;

namespace PaDiM.Imaging.Decoding;

/// <summary>
/// Reads the segments of a JPEG, and picks those that its pixels depend on: libvips gets tables, frame, scans, colour
/// profile and the two segments that tell the colour space, and nothing else. What viewers tolerate without losing a
/// pixel is put right on the way (stray bytes between segments, a wrong scan header, damaged metadata), so that
/// whatever libjpeg still warns about is data that is lost.
/// </summary>
internal sealed class JpegSegments
{
    /// <summary>Real files have some hundreds at most, of profiles and long metadata.</summary>
    private const int MaxSegments = 1 << 16;

    private const int MaxComponents = 4,
        LengthOfLength = 2;

    /// <summary>The end of the header of a scan that is not progressive: all coefficients with all bits.</summary>
    private static readonly byte[] WholeScan = [0, 63, 0];

    private readonly ReadOnlyMemory<byte> _file;
    private readonly List<Segment> _segments = [];
    private readonly List<ReadOnlyMemory<byte>> _pieces = [];
    private readonly List<string> _faults = [];
    private readonly HashSet<byte> _scanned = [];
    private readonly MinimumSize? _minimumSize;
    private bool _hasOrientation;
    private int _keptStart,
        _keptEnd = -1;

    private JpegSegments(ReadOnlyMemory<byte> file, MinimumSize? minimumSize = null)
    {
        _file = file;
        _minimumSize = minimumSize;
    }

    /// <summary>Gets the frame header.</summary>
    public JpegFrame Frame { get; private set; } = null!;

    /// <summary>
    /// Gets whether the pixels are spread over several scans: a decoder then holds all coefficients in memory.
    /// </summary>
    public bool HasSeveralScans { get; private set; }

    /// <summary>Gets the divisor of both sides, 1, 2, 4 or 8, with which the file is decoded.</summary>
    public int Reduction => Frame.GetReduction(_minimumSize, ExifOrientation.IsSideways(Orientation));

    /// <summary>Gets the EXIF orientation, 1 to 8.</summary>
    public int Orientation { get; private set; } = ExifOrientation.Upright;

    /// <summary>Gets the file without what no pixel depends on, in order.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Pieces => _pieces;

    /// <summary>Gets what was tolerated.</summary>
    public IReadOnlyList<ImageWarning> Warnings =>
        _faults.Count == 0
            ? []
            :
            [
                new ImageWarning(
                    ImageWarningKind.FileRepaired,
                    $"The JPEG file is not as it should be, but no pixel is lost: {string.Join("; ", _faults)}."
                ),
            ];

    /// <summary>Reads the frame header, and nothing behind it.</summary>
    /// <exception cref="InvalidDataException">It is missing, damaged or not supported.</exception>
    public static JpegFrame ReadFrame(ReadOnlyMemory<byte> file)
    {
        var jpeg = new JpegSegments(file);
        jpeg.Walk(Part.Frame);
        return jpeg.Frame;
    }

    /// <summary>Reads up to the first scan; there are no <see cref="Pieces"/>.</summary>
    /// <param name="file">The file.</param>
    /// <param name="minimumSize">As for <see cref="JpegFrame.GetReduction"/>.</param>
    /// <exception cref="InvalidDataException">The header is damaged or not supported.</exception>
    public static JpegSegments ReadHeader(ReadOnlyMemory<byte> file, MinimumSize? minimumSize)
    {
        var jpeg = new JpegSegments(file, minimumSize);
        jpeg.Walk(Part.Header);
        return jpeg;
    }

    /// <summary>Reads all segments up to the end of the image; what follows is not part of it.</summary>
    /// <param name="file">The file.</param>
    /// <param name="minimumSize">As for <see cref="JpegFrame.GetReduction"/>.</param>
    /// <exception cref="InvalidDataException">The file is damaged, cut short or not supported.</exception>
    public static JpegSegments Read(ReadOnlyMemory<byte> file, MinimumSize? minimumSize)
    {
        var jpeg = new JpegSegments(file, minimumSize);
        jpeg.Walk(Part.All);
        jpeg.Pick();
        return jpeg;
    }

    private void Walk(Part part)
    {
        var bytes = _file.Span;
        var at = bytes.IndexOfAnyExcept(JpegMarker.Prefix);
        if (at < 1 || bytes[at] != JpegMarker.StartOfImage)
            throw new InvalidDataException("the start of the image is missing");
        if (at > 1)
            Tolerate("fill bytes stand before its start");
        _segments.Add(new Segment(JpegMarker.StartOfImage, at - 1, 0, at + 1));
        at++;
        while (_segments.Count < MaxSegments)
        {
            var from = at;
            at = FindMarker(bytes, from);
            var (marker, start) = (bytes[at - 1], at - 2);
            // Any number of fill bytes may precede a marker.
            if (bytes[from..start].ContainsAnyExcept(JpegMarker.Prefix))
                Tolerate("stray bytes stand between its segments");
            if (marker == JpegMarker.EndOfImage)
            {
                _segments.Add(new Segment(marker, start, 0, at));
                CheckComponents();
                return;
            }
            if (JpegMarker.IsBare(marker))
                continue;
            var content = ReadContent(bytes, marker, at);
            var contentAt = at + LengthOfLength;
            at = contentAt + content.Length;
            if (JpegMarker.IsFrame(marker))
            {
                Frame = Frame is null ? JpegFrame.Read(marker, content) : throw new InvalidDataException("two frames");
                if (part == Part.Frame)
                    return;
            }
            if (marker == JpegMarker.StartOfScan)
            {
                ReadScan(content);
                if (part == Part.Header)
                    return;
                at = FindEndOfScan(bytes, at);
            }
            if (marker == JpegMarker.Exif && content.StartsWith("Exif"u8) && !_hasOrientation)
                ReadOrientation(content);
            _segments.Add(new Segment(marker, start, content.Length, at));
        }
        throw new InvalidDataException("it has too many segments");
    }

    /// <summary>Finds the next marker.</summary>
    /// <returns>The offset behind it.</returns>
    private static int FindMarker(ReadOnlySpan<byte> bytes, int at)
    {
        while (true)
        {
            var code = FindCode(bytes, at);
            if (bytes[code] != 0)
                return code + 1;
            at = code + 1;
        }
    }

    /// <summary>Finds the end of a scan's data: the next marker that is no restart.</summary>
    private static int FindEndOfScan(ReadOnlySpan<byte> bytes, int at)
    {
        while (true)
        {
            var code = FindCode(bytes, at);
            // In the data of a scan, a zero follows a byte that only looks like the beginning of a marker.
            if (bytes[code] != 0 && !JpegMarker.IsRestart(bytes[code]))
                return code - 1;
            at = code + 1;
        }
    }

    /// <summary>Finds the byte that follows the next prefix and its fill bytes.</summary>
    private static int FindCode(ReadOnlySpan<byte> bytes, int at)
    {
        var prefix = bytes[at..].IndexOf(JpegMarker.Prefix);
        var fill = prefix < 0 ? -1 : bytes[(at + prefix)..].IndexOfAnyExcept(JpegMarker.Prefix);
        return fill < 0 ? throw Truncated() : at + prefix + fill;
    }

    private static ReadOnlySpan<byte> ReadContent(ReadOnlySpan<byte> bytes, byte marker, int at)
    {
        if (
            !JpegMarker.IsExtra(marker)
            && !JpegMarker.IsTable(marker)
            && !JpegMarker.IsFrame(marker)
            && marker != JpegMarker.StartOfScan
        )
            throw new InvalidDataException("it has a segment of an unknown kind");
        if (bytes.Length - at < LengthOfLength)
            throw Truncated();
        var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
        if (length < LengthOfLength)
            throw new InvalidDataException("it has a segment without a length");
        return length <= bytes.Length - at ? bytes.Slice(at, length)[LengthOfLength..] : throw Truncated();
    }

    private void ReadOrientation(ReadOnlySpan<byte> content)
    {
        if (content.Length >= 6 && ExifOrientation.TryRead(content[6..], out var orientation))
            (_hasOrientation, Orientation) = (true, orientation);
        else
            Tolerate("its EXIF metadata is damaged");
    }

    private void ReadScan(ReadOnlySpan<byte> content)
    {
        if (
            Frame is null
            || content is not [> 0 and <= MaxComponents and var count, ..]
            || content.Length != 1 + 2 * count + WholeScan.Length
        )
            throw new InvalidDataException("a scan header is damaged");
        HasSeveralScans |= Frame.IsProgressive || count < Frame.Components.Count;
        var isFirstOfProgressive = content[^3] == 0 && content[^1] >> 4 == 0;
        if (Frame.IsProgressive && !isFirstOfProgressive)
            return;
        if (count == Frame.Components.Count)
            _scanned.UnionWith(Frame.Components.Select(component => component.Id));
        else
            for (var i = 0; i < count; i++)
                _scanned.Add(content[1 + 2 * i]);
    }

    /// <summary>libjpeg fills up a component that no scan holds, without a warning.</summary>
    private void CheckComponents()
    {
        if (Frame is null || !Frame.Components.All(component => _scanned.Contains(component.Id)))
            throw new InvalidDataException("a scan is missing");
    }

    private void Pick()
    {
        var bytes = _file.Span;
        foreach (var segment in _segments)
        {
            var content = segment.ContentLength == 0 ? [] : bytes.Slice(segment.Start + 4, segment.ContentLength);
            switch (segment.Marker)
            {
                case JpegMarker.StartOfScan when !Frame.IsProgressive && !content.EndsWith(WholeScan):
                    Tolerate("a scan header has wrong numbers at its end");
                    Replace(segment, content.Length - WholeScan.Length, WholeScan);
                    break;
                case JpegMarker.Jfif when content.StartsWith("JFIF\0"u8):
                    if (content.Length >= 14 && content[5] != 1)
                    {
                        Tolerate("it is of an unknown version of JFIF");
                        Replace(segment, 5, [1]);
                    }
                    else
                        Keep(segment.Start, segment.End);
                    break;
                case JpegMarker.Adobe when content.StartsWith("Adobe"u8):
                    PickAdobe(segment, content);
                    break;
                case JpegMarker.Profile when content.StartsWith("ICC_PROFILE\0"u8):
                    Keep(segment.Start, segment.End);
                    break;
                case var marker when JpegMarker.IsFrame(marker) && Reduction > 1:
                    Replace(segment, 0, JpegFrame.RoundUp(content, Reduction));
                    break;
                case var marker when !JpegMarker.IsExtra(marker):
                    Keep(segment.Start, segment.End);
                    break;
            }
        }
    }

    /// <summary>
    /// Keeps the segment that tells between RGB and YCbCr, and between CMYK and YCCK. What libjpeg does not understand
    /// in it gets the value that it, and with it every viewer, takes instead.
    /// </summary>
    private void PickAdobe(Segment segment, ReadOnlySpan<byte> content)
    {
        const int transformAt = 11;
        if (content.Length <= transformAt)
        {
            Tolerate("its Adobe segment is cut short");
            return;
        }
        byte likely = (byte)(Frame.Components.Count == MaxComponents ? 2 : 1);
        if (content[transformAt] != 0 && content[transformAt] != likely && Frame.Components.Count >= 3)
        {
            Tolerate("its Adobe segment names an unknown colour space");
            Replace(segment, transformAt, [likely]);
        }
        else
            Keep(segment.Start, segment.End);
    }

    private void Tolerate(string fault)
    {
        if (!_faults.Contains(fault))
            _faults.Add(fault);
    }

    private void Replace(Segment segment, int contentAt, byte[] bytes)
    {
        var at = segment.Start + 4 + contentAt;
        Keep(segment.Start, at);
        _pieces.Add(bytes);
        _keptEnd = -1;
        Keep(at + bytes.Length, segment.End);
    }

    private void Keep(int start, int end)
    {
        if (start == _keptEnd)
        {
            start = _keptStart;
            _pieces.RemoveAt(_pieces.Count - 1);
        }
        _pieces.Add(_file[start..end]);
        (_keptStart, _keptEnd) = (start, end);
    }

    private static InvalidDataException Truncated() => new("its data ends too early");

    private enum Part
    {
        Frame,
        Header,
        All,
    }

    /// <summary>A segment: its marker, where it starts, the length of its content, and where it ends. A scan ends
    /// behind its data.</summary>
    private readonly record struct Segment(byte Marker, int Start, int ContentLength, int End);
}
