using PaDiM.Core.Scoring;

namespace PaDiM.Engine.Scoring;

/// <summary>
/// Represents the result of scoring a prepared image, which <see cref="ModelScorer.ToPixels"/> turns into a map over the image.
/// </summary>
public abstract record RawMap
{
    private RawMap() { }

    /// <summary>Represents distances at patch positions, from the kernels, or from a device for a letterbox.</summary>
    public sealed record Patches(AnomalyMap Distances) : RawMap;

    /// <summary>Represents a map that a device has already upsampled to the prepared size and smoothed.</summary>
    public sealed record Pixels(AnomalyMap Map) : RawMap;
}
