using System.Diagnostics;
using PaDiM.Engine.Scoring;
using PaDiM.Service.Admission;
using PaDiM.Service.Http;

namespace PaDiM.Service.Scoring;

/// <summary>Represents a prepared image that waits for a batch.</summary>
/// <param name="Scorer">The model.</param>
/// <param name="Prepared">Shape <c>(3, h, w)</c>.</param>
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
    public TaskCompletionSource<Outcome<BatchedMap>> Completion { get; } =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
}
