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

    /// <summary>Restarts the clock with a multiple of the limit, once the amount of work is known.</summary>
    public void Restart(double factor)
    {
        _limit *= factor;
        _start = time.GetTimestamp();
    }

    /// <summary>Stops a reader whose time is up.</summary>
    /// <exception cref="TimeoutException">The time is up.</exception>
    public void ThrowIfExpired()
    {
        if (IsExpired)
            throw new TimeoutException("the time is up");
    }
}
