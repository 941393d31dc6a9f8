using NetVips;

namespace PaDiM.Imaging.Decoding;

/// <summary>Limits how long one image may be decoded. Readers ask between two pieces of work.</summary>
/// <param name="limit">How long; null for no limit.</param>
/// <param name="time">The clock.</param>
internal sealed class DecodeClock(TimeSpan? limit, TimeProvider time)
{
    private TimeSpan? _limit = limit;
    private long _start = time.GetTimestamp();

    /// <summary>Gets whether the time is up: a failure may then be no fault of the file.</summary>
    public bool IsExpired => _limit is { } limit && time.GetElapsedTime(_start) > limit;

    /// <summary>Restarts the clock, once the amount of work is known.</summary>
    /// <param name="pixels">Pixels of the image; above <see cref="ImageDecoder.PixelsPerTimeLimit"/>, the limit grows in
    /// proportion.</param>
    public void Restart(long pixels)
    {
        _limit *= Math.Max(1, (double)pixels / ImageDecoder.PixelsPerTimeLimit);
        _start = time.GetTimestamp();
    }

    /// <summary>Gets whether an exception means that the time is up, and not that the file is damaged.</summary>
    public bool Caused(Exception exception) =>
        exception is TimeoutException || (exception is VipsException && IsExpired);

    /// <summary>Stops a reader whose time is up.</summary>
    /// <exception cref="TimeoutException">The time is up.</exception>
    public void ThrowIfExpired()
    {
        if (IsExpired)
            throw new TimeoutException("the time is up");
    }
}
