using PaDiM.Imaging.Heatmaps;

namespace PaDiM.Service.Scoring;

/// <summary>Represents what a client wants besides the score.</summary>
/// <param name="Heatmap">The heatmap to draw, if any.</param>
/// <param name="Format">The file format of the heatmap; a mask is always a PNG.</param>
/// <param name="Contours">Whether regions have contours.</param>
internal readonly record struct ScoreDetails(HeatmapStyle? Heatmap, PictureFormat Format, bool Contours);
