using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;

namespace PaDiM.Core;

/// <summary>
/// Unwraps the exceptions of parallel loops: what a method throws must not depend on the number of cores.
/// </summary>
public static class ParallelFaults
{
    /// <summary>
    /// Throws one of the exceptions with its original stack trace: the first preferred one, otherwise the first.
    /// </summary>
    /// <param name="several">What the loop threw.</param>
    /// <param name="isPreferred">Returns true for an exception that the caller can act on; null to prefer none.</param>
    [DoesNotReturn]
    public static void Rethrow(AggregateException several, Func<Exception, bool>? isPreferred = null)
    {
        ArgumentNullException.ThrowIfNull(several);
        var faults = several.Flatten().InnerExceptions;
        ExceptionDispatchInfo.Throw(faults.FirstOrDefault(isPreferred ?? (_ => true)) ?? faults[0]);
    }
}
