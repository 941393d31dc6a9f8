namespace PaDiM.Service.Scoring;

/// <summary>Measures the stages of scoring an image, in milliseconds.</summary>
internal sealed class StageClock(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();
    private long _last = time.GetTimestamp();

    /// <summary>Gets the time since the start.</summary>
    public double Total => time.GetElapsedTime(_start).TotalMilliseconds;

    /// <summary>Ends a stage and gets its time.</summary>
    public double EndStage()
    {
        var now = time.GetTimestamp();
        var elapsed = time.GetElapsedTime(_last, now).TotalMilliseconds;
        _last = now;
        return elapsed;
    }
}
