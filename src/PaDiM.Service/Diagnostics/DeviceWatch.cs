namespace PaDiM.Service.Diagnostics;

/// <summary>
/// Remembers that a run on the device of the backbones has failed. That may be the fault of its image, or of a moment
/// without memory; the next check of health tries the device. Thread-safe.
/// </summary>
internal sealed partial class DeviceWatch(ILogger<DeviceWatch> logger)
{
    private volatile bool _isSuspect;

    /// <summary>Gets whether a run has failed since the device was last tried.</summary>
    public bool IsSuspect => _isSuspect;

    /// <summary>Records a run that failed.</summary>
    public void RecordFailure(Exception exception)
    {
        LogFailed(exception);
        _isSuspect = true;
    }

    /// <summary>Records that the device works.</summary>
    public void RecordSuccess() => _isSuspect = false;

    [LoggerMessage(Level = LogLevel.Error, Message = "A run on the device of the backbones failed")]
    private partial void LogFailed(Exception exception);
}
