namespace PaDiM.Service.Scoring;

/// <summary>The log line of all that scores images, for a device that fails.</summary>
internal static partial class DeviceFaults
{
    [LoggerMessage(Level = LogLevel.Error, Message = "The device {Device} failed to score an image")]
    public static partial void LogDeviceFailed(this ILogger logger, Exception exception, string device);
}
