using PaDiM.Core.Scoring;

namespace PaDiM.Engine.Scoring;

/// <summary>Represents what of an anomalous image is at or above the threshold; nothing of a normal one.</summary>
/// <param name="Regions">The connected areas, in pixels of the original, highest peak first.</param>
/// <param name="AreaPercent">Their share of what counts, in percent: 100 is the image without what the crop cuts off
/// and without what is ignored.</param>
public sealed record Defects(IReadOnlyList<AnomalyRegion> Regions, double AreaPercent);
