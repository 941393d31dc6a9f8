using System.Text.Json.Serialization;
using PaDiM.Core.Evaluation;

namespace PaDiM.Engine.Evaluation;

/// <summary>Represents the result of an evaluation on labelled images.</summary>
/// <param name="Images">Metrics of the image scores.</param>
/// <param name="Pixels">Metrics of the maps, at the masks' own resolution.</param>
/// <param name="PerDefect">The same metrics for each kind of defect against all normal images, by name.</param>
/// <param name="ConfusionAtThreshold">Decisions at the model's threshold.</param>
/// <param name="Scores">The score of each scored image, in the order of the images.</param>
public sealed record EvaluationReport(
    ImageMetrics Images,
    PixelMetrics Pixels,
    IReadOnlyList<DefectReport> PerDefect,
    Confusion ConfusionAtThreshold,
    [property: JsonIgnore] IReadOnlyList<float> Scores
);

/// <summary>Represents the result of an evaluation for one kind of defect.</summary>
/// <param name="Defect">Name of the kind of defect.</param>
/// <param name="Count">Number of images with it.</param>
/// <param name="Images">Metrics of the image scores, against all normal images.</param>
/// <param name="Pixels">Metrics of the maps, against all normal images.</param>
public sealed record DefectReport(string Defect, int Count, ImageMetrics Images, PixelMetrics Pixels);

/// <summary>Counts the decisions at a threshold; a score at or above it is anomalous.</summary>
/// <param name="Threshold">The threshold.</param>
/// <param name="TruePositives">Number of anomalous images found.</param>
/// <param name="FalsePositives">Number of normal images rejected.</param>
/// <param name="TrueNegatives">Number of normal images passed.</param>
/// <param name="FalseNegatives">Number of anomalous images missed.</param>
public sealed record Confusion(
    double Threshold,
    int TruePositives,
    int FalsePositives,
    int TrueNegatives,
    int FalseNegatives
);
