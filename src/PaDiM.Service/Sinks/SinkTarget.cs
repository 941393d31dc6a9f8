using PaDiM.Service.Scoring;

namespace PaDiM.Service.Sinks;

/// <summary>What a sink sends.</summary>
/// <param name="Inspection">The inspection.</param>
internal sealed record SinkMessage(Inspection Inspection)
{
    /// <summary>Gets the bytes of the image, for receivers that want them.</summary>
    public byte[]? Image { get; init; }

    /// <summary>Gets whether it is only a test.</summary>
    public bool IsTest { get; init; }

    /// <summary>Gets whether newer inspections may have been sent before it.</summary>
    public bool IsLate { get; init; }
}

/// <summary>A receiver.</summary>
internal abstract class SinkTarget : IAsyncDisposable
{
    /// <summary>Sends a message. Returns what the receiver said.</summary>
    /// <exception cref="DeliveryException">It was not delivered.</exception>
    public abstract Task<string> SendAsync(SinkMessage message, CancellationToken cancellationToken);

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>A message was not delivered.</summary>
/// <param name="message">Why, as a sentence.</param>
/// <param name="isRefused">Whether the receiver answered that it does not want this message, so that it is not
/// repeated.</param>
/// <param name="inner">What was thrown.</param>
internal sealed class DeliveryException(string message, bool isRefused = false, Exception? inner = null)
    : Exception(message, inner)
{
    public bool IsRefused { get; } = isRefused;

    /// <summary>Gets how long the receiver asks to wait; null if it does not.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
