using System.Diagnostics;
using PaDiM.Engine.Scoring;
using PaDiM.Service.Admission;
using PaDiM.Service.Http;

namespace PaDiM.Service.Scoring;

/// <summary>Represents a prepared image, or some tiles of a large one, that wait for a batch.</summary>
/// <param name="Scorer">The model.</param>
/// <param name="Prepared">Shape <c>(Count, 3, h, w)</c>.</param>
/// <param name="Priority">Who waits for the score.</param>
/// <param name="EnqueuedAt">When it started to wait, a timestamp.</param>
/// <param name="Trace">The span of the image.</param>
/// <param name="Cancellation">Gives the image up.</param>
internal sealed record BatchEntry(
    ModelScorer Scorer,
    float[] Prepared,
    Priority Priority,
    long EnqueuedAt,
    ActivityContext Trace,
    CancellationToken Cancellation
)
{
    /// <summary>Gets the image whose tiles these are; null for a whole image.</summary>
    public TiledImage? Tiles { get; init; }

    /// <summary>Gets when the image started to wait for the first of its tiles, a timestamp.</summary>
    public long StartedAt { get; init; } = EnqueuedAt;

    /// <summary>Gets the number of inputs of the backbone.</summary>
    public int Count => Tiles?.Count ?? 1;

    public TaskCompletionSource<Outcome<BatchedMap>> Completion { get; } =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
}
