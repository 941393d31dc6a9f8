namespace PaDiM.Core.Evaluation;

/// <summary>Pixel metrics of a whole test set, and of each kind of defect by itself.</summary>
/// <param name="All">Over all images.</param>
/// <param name="PerDefect">For each kind over the images of that kind and all normal ones.</param>
public sealed record PixelMetricsByDefect(PixelMetrics All, IReadOnlyDictionary<string, PixelMetrics> PerDefect);
