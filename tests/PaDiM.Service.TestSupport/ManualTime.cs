using System.Diagnostics;

namespace PaDiM.Service.TestSupport;

/// <summary>The real clocks, set by hand.</summary>
internal sealed class ManualTime : TimeProvider
{
    private TimeSpan _passed,
        _jumped;

    /// <summary>Lets time pass, on every clock.</summary>
    public void Advance(TimeSpan by) => _passed += by;

    /// <summary>
    /// Sets the clock on the wall, as a wrong time server does; what measures spans knows nothing of it.
    /// </summary>
    public void Jump(TimeSpan by) => _jumped += by;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _passed + _jumped;

    public override long GetTimestamp() => base.GetTimestamp() + (long)(_passed.TotalSeconds * Stopwatch.Frequency);
}
