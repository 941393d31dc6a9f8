using PaDiM.Core.Scoring;
using PaDiM.Service.Data;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.Inspections;

/// <summary>What was inspected, and what was decided.</summary>
/// <param name="Id">Identifies the inspection within its category.</param>
/// <param name="Category">The category that the photograph was sent to.</param>
/// <param name="Part">The client's name for the part.</param>
/// <param name="Station">The client's name for the station.</param>
/// <param name="Lot">The client's name for the lot.</param>
/// <param name="At">When it was scored.</param>
/// <param name="Decision">The decision.</param>
/// <param name="Score">The score.</param>
/// <param name="Threshold">The threshold in force.</param>
/// <param name="PValue">How surprising the score would be for a normal image.</param>
/// <param name="DecidedBy">The category whose model decided: the same, or one that takes its images from it.</param>
/// <param name="ModelVersion">The version of that model.</param>
/// <param name="ThresholdVersion">The number of changes of the threshold until then, as in the history of `GET
/// .../threshold`.</param>
/// <param name="Fallback">Whether an earlier version scored in place of a damaged one.</param>
/// <param name="Regions">Where defects were found, in pixels of the upright original, highest peak first; 100 at most,
/// without contours.</param>
/// <param name="Warnings">Codes of the warnings about the photograph.</param>
/// <param name="Image">The photograph.</param>
/// <param name="TimingsMs">Time per stage, in milliseconds.</param>
/// <param name="Replica">The replica that scored.</param>
/// <param name="Verdict">What a person said; null without a verdict.</param>
internal sealed record InspectionResponse(
    string Id,
    string Category,
    string? Part,
    string? Station,
    string? Lot,
    DateTime At,
    Decision Decision,
    double Score,
    double Threshold,
    double PValue,
    string DecidedBy,
    int ModelVersion,
    int ThresholdVersion,
    bool Fallback,
    IReadOnlyList<AnomalyRegion> Regions,
    IReadOnlyList<string> Warnings,
    InspectedImage Image,
    Timings TimingsMs,
    string Replica,
    VerdictResponse? Verdict
)
{
    public static InspectionResponse Create(StoredInspection row) =>
        new(
            row.Id,
            row.Category,
            row.Part,
            row.Station,
            row.Lot,
            row.At,
            row.Decision,
            row.Score,
            row.Threshold,
            row.PValue,
            row.DecidedBy ?? row.Category,
            row.ModelVersion,
            row.ThresholdVersion,
            row.Fallback,
            LedgerRows.ReadRegions(row.Regions),
            row.Warnings?.Split(',') ?? [],
            new InspectedImage(row.Width, row.Height, row.Sha256, row.ImageBytes),
            LedgerRows.ReadTimings(row.Timings),
            row.Replica,
            row.Verdict is { } verdict
                ? new VerdictResponse(verdict, row.Defect, row.VerdictBy!, row.VerdictAt!.Value)
                : null
        );
}

/// <summary>The photograph of an inspection.</summary>
/// <param name="Width">Pixels across, upright.</param>
/// <param name="Height">Pixels down, upright.</param>
/// <param name="Sha256">SHA-256 hash of the bytes as received.</param>
/// <param name="KeptBytes">Size of the kept image; null if it is not kept.</param>
internal sealed record InspectedImage(int Width, int Height, string Sha256, long? KeptBytes);

/// <summary>What a person said about a part.</summary>
/// <param name="Verdict">Whether the part is good.</param>
/// <param name="Defect">The kind of defect.</param>
/// <param name="Who">Name of the caller's key.</param>
/// <param name="At">When it was said.</param>
internal sealed record VerdictResponse(Verdict Verdict, string? Defect, string Who, DateTime At);

/// <summary>A verdict.</summary>
internal sealed record VerdictRequest
{
    /// <summary><c>good</c>, <c>defective</c> or <c>unsure</c>.</summary>
    public required Verdict Verdict { get; init; }

    /// <summary>Kind of defect, 1 to 64 characters; of a defective part only.</summary>
    public string? Defect { get; init; }
}

/// <summary>The regions of an inspection, made again.</summary>
/// <param name="Regions">Connected areas at or above the threshold, in pixels of the upright original, highest peak first,
/// with their contours. Empty if the image is not anomalous.</param>
/// <param name="DefectAreaPercent">Area of all regions in percent of what counts.</param>
/// <param name="Heatmap">PNG in Base64, if requested with <c>?heatmap=</c>.</param>
internal sealed record InspectionDrawing(
    IReadOnlyList<AnomalyRegion> Regions,
    double DefectAreaPercent,
    byte[]? Heatmap
);

/// <summary>How many inspections were deleted.</summary>
/// <param name="Deleted">The number of rows; their images are gone too.</param>
internal sealed record DeletedInspections(int Deleted);

/// <summary>The order of inspections.</summary>
internal enum InspectionOrder
{
    /// <summary>Latest first.</summary>
    Newest,

    /// <summary>Earliest first.</summary>
    Oldest,

    /// <summary>Highest score first.</summary>
    Highest,

    /// <summary>Lowest score first.</summary>
    Lowest,
}

/// <summary>A filter by verdict.</summary>
internal enum VerdictFilter
{
    Good,
    Defective,
    Unsure,

    /// <summary>Without a verdict.</summary>
    None,

    /// <summary>The review queue: not normal, and without a verdict.</summary>
    Open,
}
