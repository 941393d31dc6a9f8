using PaDiM.Engine.Evaluation;
using PaDiM.Service.Data;
using PaDiM.Service.Models;

namespace PaDiM.Service.Evaluations;

/// <summary>What is to be measured.</summary>
internal sealed record EvaluationRequest
{
    /// <summary>Version of the model; the active one, when the job begins, if left out.</summary>
    public int? Model { get; init; }
}

/// <summary>What a model achieved on the labelled images of its category.</summary>
/// <param name="Id">Identifier: that of the job.</param>
/// <param name="Category">Whose images.</param>
/// <param name="ModelVersion">Which model.</param>
/// <param name="CreatedAt">When it was measured.</param>
/// <param name="Images">How many images counted, and how.</param>
/// <param name="ImageAuroc">Area under the ROC curve of image scores; null where one of the classes is empty.</param>
/// <param name="ImageAp">Average precision of image scores.</param>
/// <param name="ImageF1Max">Largest F1 over all thresholds.</param>
/// <param name="ImageF1MaxThreshold">The threshold of that F1.</param>
/// <param name="PixelAuroc">Area under the ROC curve of pixels; null without masks.</param>
/// <param name="AuPro">Area under the per-region-overlap curve to a false-positive rate of 0.3; null without
/// masks.</param>
/// <param name="AuPro05">The same to 0.05.</param>
/// <param name="PerDefect">The same for each kind of defect against all normal images.</param>
/// <param name="ConfusionAtThreshold">Decisions at the threshold that was in force.</param>
internal sealed record EvaluationResponse(
    string Id,
    string Category,
    int ModelVersion,
    DateTime CreatedAt,
    EvaluatedImages Images,
    double? ImageAuroc,
    double? ImageAp,
    double? ImageF1Max,
    double? ImageF1MaxThreshold,
    double? PixelAuroc,
    double? AuPro,
    double? AuPro05,
    IReadOnlyList<DefectFigures> PerDefect,
    Confusion ConfusionAtThreshold
)
{
    public static EvaluationResponse From(
        string id,
        string category,
        int modelVersion,
        DateTime createdAt,
        EvaluationFigures figures
    ) =>
        new(
            id,
            category,
            modelVersion,
            createdAt,
            figures.Images,
            figures.ImageAuroc,
            figures.ImageAp,
            figures.ImageF1Max,
            figures.ImageF1MaxThreshold,
            figures.PixelAuroc,
            figures.AuPro,
            figures.AuPro05,
            figures.PerDefect,
            figures.ConfusionAtThreshold
        );
}

/// <summary>How many images counted, and how.</summary>
/// <param name="Unseen">Normal images that the model was not fitted to: scored, and counted for the image and the pixel
/// metrics.</param>
/// <param name="LeaveOneOut">Normal images that it was fitted to: counted for the image metrics with their exact
/// leave-one-out score, and not for the pixel metrics.</param>
/// <param name="Anomalous">Anomalous images.</param>
/// <param name="WithMask">Anomalous images with a mask: the others do not count for the pixel metrics.</param>
internal sealed record EvaluatedImages(int Unseen, int LeaveOneOut, int Anomalous, int WithMask);

/// <summary>What a model achieves on one kind of defect, against all normal images.</summary>
/// <param name="Defect">The kind, as it was named at upload; <c>anomalous</c> where it was not.</param>
/// <param name="Count">Images of it.</param>
/// <param name="ImageAuroc">Area under the ROC curve of image scores.</param>
/// <param name="ImageAp">Average precision of image scores.</param>
/// <param name="ImageF1Max">Largest F1 over all thresholds.</param>
/// <param name="PixelAuroc">Area under the ROC curve of pixels; null without masks.</param>
/// <param name="AuPro">Area under the per-region-overlap curve to a false-positive rate of 0.3; null without
/// masks.</param>
internal sealed record DefectFigures(
    string Defect,
    int Count,
    double? ImageAuroc,
    double? ImageAp,
    double? ImageF1Max,
    double? PixelAuroc,
    double? AuPro
);

/// <summary>The score of one labelled image.</summary>
/// <param name="ImageId">Identifier of the image.</param>
/// <param name="Label">What it shows.</param>
/// <param name="Defect">Kind of defect, where one was named.</param>
/// <param name="Score">Its score.</param>
/// <param name="Decision">What the thresholds that were in force decide.</param>
/// <param name="LeaveOneOut">The model was fitted to it, and this is its leave-one-out score.</param>
internal sealed record EvaluatedImage(
    string ImageId,
    ImageLabel Label,
    string? Defect,
    double Score,
    Decision Decision,
    bool LeaveOneOut
);

/// <summary>The figures of an evaluation, as they are kept.</summary>
internal sealed record EvaluationFigures(
    EvaluatedImages Images,
    double? ImageAuroc,
    double? ImageAp,
    double? ImageF1Max,
    double? ImageF1MaxThreshold,
    double? PixelAuroc,
    double? AuPro,
    double? AuPro05,
    IReadOnlyList<DefectFigures> PerDefect,
    Confusion ConfusionAtThreshold,
    double? ReviewThreshold
)
{
    public static EvaluationFigures From(EvaluatedImages images, EvaluationReport report, double? reviewThreshold) =>
        new(
            images,
            Known(report.Images.Auroc),
            Known(report.Images.AveragePrecision),
            Known(report.Images.F1Max),
            Known(report.Images.F1MaxThreshold),
            Known(report.Pixels.Auroc),
            Known(report.Pixels.AuPro30),
            Known(report.Pixels.AuPro05),
            [
                .. report.PerDefect.Select(d => new DefectFigures(
                    d.Defect,
                    d.Count,
                    Known(d.Images.Auroc),
                    Known(d.Images.AveragePrecision),
                    Known(d.Images.F1Max),
                    Known(d.Pixels.Auroc),
                    Known(d.Pixels.AuPro30)
                )),
            ],
            report.ConfusionAtThreshold,
            reviewThreshold
        );

    /// <summary>JSON has no word for what is not a number.</summary>
    private static double? Known(double value) => double.IsNaN(value) ? null : value;
}
