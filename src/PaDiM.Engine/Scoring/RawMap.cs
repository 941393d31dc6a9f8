using PaDiM.Core.Scoring;

namespace PaDiM.Engine.Scoring;

/// <summary>
/// What scoring gives of a prepared image, before <see cref="ModelScorer.ToPixels(RawMap,
/// Core.Geometry.RigidTransform)"/> lays it over the image.
/// </summary>
public abstract record RawMap
{
    private RawMap() { }

    /// <summary>Distances at patch positions, from the kernels.</summary>
    public sealed record Patches(AnomalyMap Distances) : RawMap;

    /// <summary>Upsampled and smoothed already, at the prepared size: from a device.</summary>
    public sealed record Pixels(AnomalyMap Map) : RawMap;
}
