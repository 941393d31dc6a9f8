using PaDiM.Engine.Evaluation;

namespace PaDiM.Service.Evaluations;

/// <summary>What a model achieved on the labelled images of its category.</summary>
internal record EvaluationMetrics
{
    /// <summary>How many images counted, and how.</summary>
    public required EvaluatedImages Images { get; init; }

    /// <summary>Area under the ROC curve of image scores; null where one of the classes is empty.</summary>
    public double? ImageAuroc { get; init; }

    /// <summary>Average precision of image scores.</summary>
    public double? ImageAp { get; init; }

    /// <summary>Largest F1 over all thresholds.</summary>
    public double? ImageF1Max { get; init; }

    /// <summary>The threshold of that F1.</summary>
    public double? ImageF1MaxThreshold { get; init; }

    /// <summary>Area under the ROC curve of pixels; null without masks.</summary>
    public double? PixelAuroc { get; init; }

    /// <summary>
    /// Area under the per-region-overlap curve to a false-positive rate of 0.3; null without masks.
    /// </summary>
    public double? AuPro { get; init; }

    /// <summary>The same to 0.05.</summary>
    public double? AuPro05 { get; init; }

    /// <summary>The same for each kind of defect against all normal images.</summary>
    public required IReadOnlyList<DefectFigures> PerDefect { get; init; }

    /// <summary>Decisions at the threshold that was in force.</summary>
    public required Confusion ConfusionAtThreshold { get; init; }
}
