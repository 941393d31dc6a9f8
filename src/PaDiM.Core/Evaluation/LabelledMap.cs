namespace PaDiM.Core.Evaluation;

/// <summary>
/// A test image for the pixel metrics. Its map is created again in each pass, so that few maps are in memory at a time.
/// </summary>
/// <param name="Defect">Kind of defect; null for a normal image, which is part of the metrics of every kind.</param>
/// <param name="Draw">Creates the map; called several times, on several threads, and always with the same
/// result.</param>
public sealed record LabelledMap(string? Defect, Func<ScoredPixels> Draw);
