using PaDiM.Engine.Evaluation;

namespace PaDiM.Service.Evaluations;

/// <summary>The figures of an evaluation as they are stored.</summary>
internal sealed record EvaluationFigures : EvaluationMetrics
{
    /// <summary>The review threshold that was in force; null without one.</summary>
    public double? ReviewThreshold { get; init; }

    public static EvaluationFigures From(EvaluatedImages images, EvaluationReport report, double? reviewThreshold) =>
        new()
        {
            Images = images,
            ImageAuroc = ToNullable(report.Images.Auroc),
            ImageAp = ToNullable(report.Images.AveragePrecision),
            ImageF1Max = ToNullable(report.Images.F1Max),
            ImageF1MaxThreshold = ToNullable(report.Images.F1MaxThreshold),
            PixelAuroc = ToNullable(report.Pixels.Auroc),
            AuPro = ToNullable(report.Pixels.AuPro30),
            AuPro05 = ToNullable(report.Pixels.AuPro05),
            PerDefect =
            [
                .. report.PerDefect.Select(d => new DefectFigures(
                    d.Defect,
                    d.Count,
                    ToNullable(d.Images.Auroc),
                    ToNullable(d.Images.AveragePrecision),
                    ToNullable(d.Images.F1Max),
                    ToNullable(d.Pixels.Auroc),
                    ToNullable(d.Pixels.AuPro30)
                )),
            ],
            ConfusionAtThreshold = report.ConfusionAtThreshold,
            ReviewThreshold = reviewThreshold,
        };

    /// <summary>Converts NaN to null: JSON has no NaN.</summary>
    private static double? ToNullable(double value) => double.IsNaN(value) ? null : value;
}
