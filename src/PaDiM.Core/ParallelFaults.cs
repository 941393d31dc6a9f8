using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;

namespace PaDiM.Core;

/// <summary>
/// What loops on several cores fail of. Callers document what the body of a loop throws; that must not depend on the
/// number of cores.
/// </summary>
public static class ParallelFaults
{
    /// <summary>Throws one of the failures, as it was thrown: the first that is preferred, or else the first.</summary>
    /// <param name="several">What the loop threw.</param>
    /// <param name="isPreferred">Tells failures that callers can do something about; null where none is better than
    /// another.</param>
    [DoesNotReturn]
    public static void Rethrow(AggregateException several, Func<Exception, bool>? isPreferred = null)
    {
        ArgumentNullException.ThrowIfNull(several);
        var faults = several.Flatten().InnerExceptions;
        ExceptionDispatchInfo.Throw(faults.FirstOrDefault(isPreferred ?? (_ => true)) ?? faults[0]);
    }
}
