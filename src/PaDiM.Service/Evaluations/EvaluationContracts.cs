using PaDiM.Service.Data;

namespace PaDiM.Service.Evaluations;

/// <summary>What is to be measured.</summary>
internal sealed record EvaluationRequest
{
    /// <summary>Version of the model; the active one, when the job begins, if left out.</summary>
    public int? Model { get; init; }
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
