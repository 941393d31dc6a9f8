namespace PaDiM.Service.Objects;

/// <summary>
/// The store of objects does not respond, or refuses the service. Whether an object is missing or damaged is not known,
/// so this is no <see cref="IOException"/>.
/// </summary>
internal sealed class ObjectStoreAwayException(string message, bool isRefused, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>Gets whether the store responds, but does not let the service do what it must do.</summary>
    public bool IsRefused => isRefused;

    /// <summary>Gets whether an exception was caused by a store that is away.</summary>
    public static bool IsCauseOf(Exception exception) =>
        exception switch
        {
            ObjectStoreAwayException => true,
            AggregateException several => several.Flatten().InnerExceptions.Any(IsCauseOf),
            _ => exception.InnerException is { } inner && IsCauseOf(inner),
        };
}
