using Microsoft.ML.OnnxRuntime;
using PaDiM.Client;
using PaDiM.Engine.Faults;

namespace PaDiM.Cli;

/// <summary>
/// Turns failures that a user can fix into one sentence. Any other exception is a bug and shows its stack trace.
/// </summary>
internal static class Failures
{
    /// <summary>Gets the sentence for a failure; null if it is a bug.</summary>
    public static string? GetMessage(Exception failure) =>
        failure switch
        {
            UserFaultException
            or PadimException
            or InvalidDataException
            or IOException
            or UnauthorizedAccessException
            or KeyNotFoundException
            or PlatformNotSupportedException
            or ArithmeticException => failure.Message,
            OnnxRuntimeException => $"The backbone failed: {failure.Message}",
            OperationCanceledException => "stopped.",
            AggregateException { InnerException: { } first } => GetMessage(first),
            _ => null,
        };
}
