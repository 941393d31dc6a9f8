using System.Diagnostics;
using PaDiM.Engine.Scoring;

namespace PaDiM.Service.Scoring;

/// <summary>Represents what one image gets from its batch, which may be itself alone.</summary>
/// <param name="Map">The map before it is upsampled to the image.</param>
/// <param name="Waited">Time that it waited for the backbone and for the distances.</param>
/// <param name="Embedding">Time of the batch in the backbone; on a device, of everything that runs there.</param>
/// <param name="Scoring">Time of the batch in the distances; zero on a device, which does not report it
/// separately.</param>
/// <param name="Trace">The span of the batch; none if nothing listens.</param>
internal sealed record BatchedMap(
    RawMap Map,
    TimeSpan Waited,
    TimeSpan Embedding,
    TimeSpan Scoring,
    ActivityContext Trace
);
