using System.Diagnostics;
using NetVips;

namespace PaDiM.Imaging.Decoding;

/// <summary>
/// An encoded image in memory that can be read for a limited time. The clock is looked at when libvips reads on in the
/// file, which stops decoders that have not come to pixels yet (scans of a progressive JPEG, data behind a PNG's last
/// row), and by whoever asks for rows, between some of them. A WebP is decoded in one go.
/// </summary>
internal sealed class TimedSource : IDisposable
{
    private readonly byte[] _bytes;
    private readonly SourceCustom _source = new();
    private TimeSpan? _limit;
    private long _start = Stopwatch.GetTimestamp();
    private int _position;

    /// <summary>Starts the clock.</summary>
    /// <param name="bytes">The encoded image.</param>
    /// <param name="limit">How long it may be read; null for as long as it takes.</param>
    public TimedSource(byte[] bytes, TimeSpan? limit)
    {
        _bytes = bytes;
        _limit = limit;
        _source.OnRead += Read;
        _source.OnSeek += Seek;
    }

    /// <summary>What libvips loads from.</summary>
    public Source Source => _source;

    /// <summary>Whether the time is up, and why a failure may be no fault of the file.</summary>
    public bool IsExpired => _limit is { } time && Stopwatch.GetElapsedTime(_start) > time;

    /// <summary>Starts the clock anew, when it is known how much there is to do.</summary>
    public void Restart(double times)
    {
        _limit = _limit * times;
        _start = Stopwatch.GetTimestamp();
    }

    public void Dispose() => _source.Dispose();

    private int Read(byte[] buffer, int length)
    {
        if (IsExpired)
            return -1;
        var count = Math.Min(length, _bytes.Length - _position);
        _bytes.AsSpan(_position, count).CopyTo(buffer);
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
                _ => _bytes.Length,
            };
        return _position = (int)Math.Clamp(target, 0, _bytes.Length);
    }
}
