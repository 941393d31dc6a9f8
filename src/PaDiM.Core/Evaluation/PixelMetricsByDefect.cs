namespace PaDiM.Core.Evaluation;

/// <summary>Pixel metrics of a whole test set and per kind of defect.</summary>
/// <param name="All">Metrics over all images.</param>
/// <param name="PerDefect">Metrics per kind, over the images of that kind and all normal images.</param>
public sealed record PixelMetricsByDefect(PixelMetrics All, IReadOnlyDictionary<string, PixelMetrics> PerDefect);
