using Microsoft.ML.OnnxRuntime;
using PaDiM.Engine.Export;
using PaDiM.Engine.Fitting;

namespace PaDiM.Cli;

/// <summary>
/// Turns the failures that a user can mend into one sentence; anything else is a fault of the program and shows its
/// trace.
/// </summary>
internal static class Failures
{
    public static string? GetMessage(Exception failure) =>
        failure switch
        {
            FitException
            or ExportException
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
