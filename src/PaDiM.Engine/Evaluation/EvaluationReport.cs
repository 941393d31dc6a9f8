using System.Text.Json.Serialization;
using PaDiM.Core.Evaluation;

namespace PaDiM.Engine.Evaluation;

/// <summary>What a model achieves on labelled images.</summary>
/// <param name="Images">Of image scores.</param>
/// <param name="Pixels">Of maps, at the masks' own resolution.</param>
/// <param name="PerDefect">The same for each kind of defect against all normal images, by name.</param>
/// <param name="ConfusionAtThreshold">Decisions at the model's threshold.</param>
/// <param name="Scores">The score of each image that was scored, in their order.</param>
public sealed record EvaluationReport(
    ImageMetrics Images,
    PixelMetrics Pixels,
    IReadOnlyList<DefectReport> PerDefect,
    Confusion ConfusionAtThreshold,
    [property: JsonIgnore] IReadOnlyList<float> Scores
);

/// <summary>What a model achieves on one kind of defect.</summary>
/// <param name="Defect">The kind.</param>
/// <param name="Count">Images of it.</param>
/// <param name="Images">Of image scores, against all normal images.</param>
/// <param name="Pixels">Of maps, against all normal images.</param>
public sealed record DefectReport(string Defect, int Count, ImageMetrics Images, PixelMetrics Pixels);

/// <summary>Decisions at a threshold; a score at or above it is anomalous.</summary>
/// <param name="Threshold">The threshold.</param>
/// <param name="TruePositives">Anomalous images found.</param>
/// <param name="FalsePositives">Normal images rejected.</param>
/// <param name="TrueNegatives">Normal images passed.</param>
/// <param name="FalseNegatives">Anomalous images missed.</param>
public sealed record Confusion(
    double Threshold,
    int TruePositives,
    int FalsePositives,
    int TrueNegatives,
    int FalseNegatives
);
