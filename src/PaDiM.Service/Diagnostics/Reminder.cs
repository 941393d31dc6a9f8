namespace PaDiM.Service.Diagnostics;

/// <summary>Says when a fault that goes on is worth a line of the log: at once, and then once a minute.</summary>
internal sealed class Reminder(TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);
    private long _last;

    /// <summary>Gets whether a line is due; if it is, the next one is due after the pause.</summary>
    public bool IsDue()
    {
        var last = Volatile.Read(ref _last);
        var now = time.GetTimestamp();
        return (last == 0 || time.GetElapsedTime(last, now) >= Pause)
            // One of those that ask at the same time.
            && Interlocked.CompareExchange(ref _last, now, last) == last;
    }
}
