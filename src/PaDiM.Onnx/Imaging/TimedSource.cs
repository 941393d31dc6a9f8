using System.Diagnostics;
using NetVips;

namespace PaDiM.Onnx.Imaging;

/// <summary>
/// An encoded image in memory that can be read for a limited time. The clock is looked at when libvips reads on in the file, which stops decoders that have not come to
/// pixels yet (scans of a progressive JPEG, data behind a PNG's last row), and by whoever asks for rows, between some of them. A WebP is decoded in one go.
/// </summary>
internal sealed class TimedSource : IDisposable
{
    private readonly byte[] bytes;
    private readonly SourceCustom source = new();
    private TimeSpan? limit;
    private long start = Stopwatch.GetTimestamp();
    private int position;

    /// <summary>Starts the clock.</summary>
    /// <param name="bytes">The encoded image.</param>
    /// <param name="limit">How long it may be read; null for as long as it takes.</param>
    public TimedSource(byte[] bytes, TimeSpan? limit)
    {
        (this.bytes, this.limit) = (bytes, limit);
        source.OnRead += Read;
        source.OnSeek += Seek;
    }

    /// <summary>What libvips loads from.</summary>
    public Source Source => source;

    /// <summary>Whether the time is up, and why a failure may be no fault of the file.</summary>
    public bool IsExpired => limit is { } time && Stopwatch.GetElapsedTime(start) > time;

    /// <summary>Starts the clock anew, when it is known how much there is to do.</summary>
    public void Restart(double times) => (limit, start) = (limit * times, Stopwatch.GetTimestamp());

    public void Dispose() => source.Dispose();

    private int Read(byte[] buffer, int length)
    {
        if (IsExpired) return -1;
        var count = Math.Min(length, bytes.Length - position);
        bytes.AsSpan(position, count).CopyTo(buffer);
        position += count;
        return count;
    }

    private long Seek(long offset, SeekOrigin origin)
    {
        var target = offset + origin switch { SeekOrigin.Begin => 0, SeekOrigin.Current => position, _ => bytes.Length };
        return position = (int)Math.Clamp(target, 0, bytes.Length);
    }
}
