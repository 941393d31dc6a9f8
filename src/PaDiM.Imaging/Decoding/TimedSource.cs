using NetVips;

namespace PaDiM.Imaging.Decoding;

/// <summary>
/// An encoded image in memory that can be read for a limited time. The clock is checked when libvips reads on in the
/// file, which stops decoders that have not reached the pixels yet (scans of a progressive JPEG, data behind the last
/// row of a PNG), and by the caller between rows. A WebP is decoded in one go.
/// </summary>
internal sealed class TimedSource : IDisposable
{
    private readonly IReadOnlyList<ReadOnlyMemory<byte>> _pieces;
    private readonly long _length;
    private readonly SourceCustom _source = new();
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
        _source.OnRead += Read;
        _source.OnSeek += Seek;
    }

    /// <summary>Gets the time that is left.</summary>
    public DecodeClock Clock { get; }

    /// <summary>Gets the source that libvips loads from.</summary>
    public Source Source => _source;

    public void Dispose() => _source.Dispose();

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
