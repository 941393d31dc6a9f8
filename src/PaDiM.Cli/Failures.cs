using Microsoft.ML.OnnxRuntime;
using PaDiM.Engine.Faults;

namespace PaDiM.Cli;

/// <summary>
/// Turns the failures that a user can mend into one sentence; anything else is a fault of the program and shows its
/// trace.
/// </summary>
internal static class Failures
{
    public static string? Explain(Exception failure) =>
        failure switch
        {
            UserFaultException
            or InvalidDataException
            or IOException
            or UnauthorizedAccessException
            or KeyNotFoundException
            or PlatformNotSupportedException
            or ArithmeticException => failure.Message,
            OnnxRuntimeException => $"The backbone failed: {failure.Message}",
            OperationCanceledException => "stopped.",
            AggregateException { InnerException: { } first } => Explain(first),
            _ => null,
        };
}
