namespace PaDiM.Core.Evaluation;

/// <summary>
/// A test image for the pixel metrics, drawn anew for each pass so that few maps of full size are in memory at a time.
/// </summary>
/// <param name="Defect">Kind of defect; null for a normal image, which is measured along with every kind.</param>
/// <param name="Draw">Makes the map; called several times, on several threads, each time with the same result.</param>
public sealed record LabelledMap(string? Defect, Func<ScoredPixels> Draw);
