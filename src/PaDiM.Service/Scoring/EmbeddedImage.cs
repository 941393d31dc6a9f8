using PaDiM.Engine.Inference;
using PaDiM.Engine.Scoring;
using PaDiM.Service.Admission;

namespace PaDiM.Service.Scoring;

/// <summary>Represents an image that has its features and waits for its distances.</summary>
/// <param name="Scorer">The model.</param>
/// <param name="Features">The features.</param>
/// <param name="Turn">What it waits for: a core.</param>
internal sealed record EmbeddedImage(ModelScorer Scorer, BackboneFeatures Features, ImageLease Turn) : IDisposable
{
    /// <summary>Completes with the map, and the time of the pass that computed it.</summary>
    public TaskCompletionSource<(RawMap Map, TimeSpan Scoring)> Completion { get; } =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Dispose()
    {
        Features.Dispose();
        Turn.Dispose();
    }
}
