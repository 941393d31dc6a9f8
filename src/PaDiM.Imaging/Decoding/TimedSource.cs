using System.Runtime.InteropServices;
using NetVips;

namespace PaDiM.Imaging.Decoding;

/// <summary>
/// An encoded image in memory that can be read for a limited time. The clock is checked when libvips reads on in the
/// file, which stops decoders that have not reached the pixels yet (scans of a progressive JPEG, data behind the last
/// row of a PNG), and by the caller between rows. A WebP is decoded in one go, and so is a file that is read in place.
/// </summary>
internal sealed class TimedSource : IDisposable
{
    private readonly IReadOnlyList<ReadOnlyMemory<byte>> _pieces;
    private readonly long _length;
    private long _position;
    private int _piece;
    private int _offset;

    /// <summary>Creates a source.</summary>
    /// <param name="pieces">The encoded image, in pieces.</param>
    /// <param name="clock">Says how long it may be read.</param>
    public TimedSource(IReadOnlyList<ReadOnlyMemory<byte>> pieces, DecodeClock clock)
    {
        _pieces = pieces;
        _length = pieces.Sum(piece => (long)piece.Length);
        Clock = clock;
        var source = new SourceCustom();
        source.OnRead += Read;
        source.OnSeek += Seek;
        Source = source;
    }

    private TimedSource(byte[] file, DecodeClock clock)
    {
        _pieces = [];
        Clock = clock;
        Source = Source.NewFromMemory(file);
    }

    /// <summary>Gets the time that is left.</summary>
    public DecodeClock Clock { get; }

    /// <summary>Gets the source that libvips loads from.</summary>
    public Source Source { get; }

    /// <summary>
    /// Creates a source that libvips reads in place, so that only the caller checks the clock, between rows. libjpeg
    /// decodes the file in a tenth less time: its faster loop needs 3 KB of data ahead, and other sources give it 4 KB
    /// at a time.
    /// </summary>
    /// <param name="pieces">The encoded image, in pieces.</param>
    /// <param name="clock">Says how long it may be read.</param>
    public static TimedSource InPlace(IReadOnlyList<ReadOnlyMemory<byte>> pieces, DecodeClock clock) =>
        new(Join(pieces), clock);

    public void Dispose() => Source.Dispose();

    /// <summary>Joins the pieces; a whole array is used as it is.</summary>
    private static byte[] Join(IReadOnlyList<ReadOnlyMemory<byte>> pieces)
    {
        if (pieces is [var only] && MemoryMarshal.TryGetArray(only, out var part) && part.Array!.Length == part.Count)
            return part.Array;
        var file = GC.AllocateUninitializedArray<byte>(pieces.Sum(piece => piece.Length));
        var at = 0;
        foreach (var piece in pieces)
        {
            piece.Span.CopyTo(file.AsSpan(at));
            at += piece.Length;
        }
        return file;
    }

    private int Read(byte[] buffer, int length)
    {
        if (Clock.IsExpired)
            return -1;
        var count = 0;
        while (count < length && _piece < _pieces.Count)
        {
            var rest = _pieces[_piece].Span[_offset..];
            if (rest.IsEmpty)
            {
                _piece++;
                _offset = 0;
                continue;
            }
            var taken = Math.Min(rest.Length, length - count);
            rest[..taken].CopyTo(buffer.AsSpan(count));
            count += taken;
            _offset += taken;
        }
        _position += count;
        return count;
    }

    private long Seek(long offset, SeekOrigin origin)
    {
        var target =
            offset
            + origin switch
            {
                SeekOrigin.Begin => 0,
                SeekOrigin.Current => _position,
                _ => _length,
            };
        _position = Math.Clamp(target, 0, _length);
        _piece = 0;
        var rest = _position;
        while (_piece < _pieces.Count && rest >= _pieces[_piece].Length)
            rest -= _pieces[_piece++].Length;
        _offset = (int)rest;
        return _position;
    }
}
