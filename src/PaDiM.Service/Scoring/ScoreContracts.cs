using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Service.Data;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Represents the score of an image and the decision. If other categories take their images from the one that the image
/// is sent to, they score it too, and this is the result that decides: that of the worst decision and, among equals, of
/// the highest `scoreRatio`.
/// </summary>
/// <param name="InspectionId">Identifies the inspection of the image: as named in the request, or a new one. Null for a
/// version that is not active, whose scores are trials.</param>
/// <param name="Category">The category whose model scored the image.</param>
/// <param name="ModelVersion">The version of the model.</param>
/// <param name="Fallback">Whether the file of the active version is damaged and this earlier version scores in its
/// place; see `damagedModels` of `GET /v1/system`.</param>
/// <param name="Score">Largest value of the anomaly map, or the mean of its highest 1 % with imageScore top; at least
/// 0.</param>
/// <param name="Threshold">Scores at or above it are anomalous.</param>
/// <param name="ScoreRatio">`score` / `threshold`: from 1 on, the image is anomalous. Null if the threshold is
/// 0.</param>
/// <param name="PValue">How surprising the score would be for a normal image: (1 + training images that score at least
/// as high) / (n + 1).</param>
/// <param name="Decision">The decision that follows from the score.</param>
/// <param name="Warnings">What is unusual about the image compared with those that the models were fitted to, and what
/// was not read of a form; the decision does not depend on it.</param>
/// <param name="Regions">Connected areas of an anomalous image at or above the threshold, in pixels of the upright
/// original, highest peak first.</param>
/// <param name="DefectAreaPercent">Area of all regions in percent of what counts: of the image without what the crop
/// cuts off and without what is ignored.</param>
/// <param name="RegionsOfInterest">The results of all categories that scored the image: the one that it is sent to, if
/// it has a model, and those that take their images from it, by name. Empty if one category scored all of the
/// image.</param>
/// <param name="Image">The image as it was received.</param>
/// <param name="Heatmap">PNG in Base64, if requested with <c>?heatmap=</c>.</param>
/// <param name="TimingsMs">Time per stage, in milliseconds.</param>
/// <param name="Device">The device that the backbone ran on.</param>
internal sealed record ScoreResponse(
    string? InspectionId,
    string Category,
    int ModelVersion,
    bool Fallback,
    double Score,
    double Threshold,
    double? ScoreRatio,
    double PValue,
    Decision Decision,
    IReadOnlyList<ScoreWarning> Warnings,
    IReadOnlyList<AnomalyRegion> Regions,
    double DefectAreaPercent,
    IReadOnlyList<RegionScore> RegionsOfInterest,
    ScoredImage Image,
    byte[]? Heatmap,
    Timings TimingsMs,
    string Device
);

/// <summary>Represents the score of one category for an image that several categories score.</summary>
/// <param name="Category">The category whose model scored the image.</param>
/// <param name="ModelVersion">The version of the model.</param>
/// <param name="Fallback">Whether an earlier version scores in place of a damaged one.</param>
/// <param name="Score">Largest value of the anomaly map, or the mean of its highest 1 % with imageScore top.</param>
/// <param name="Threshold">Scores at or above it are anomalous.</param>
/// <param name="ScoreRatio">`score` / `threshold`; null if the threshold is 0.</param>
/// <param name="PValue">How surprising the score would be for a normal image.</param>
/// <param name="Decision">The decision that follows from the score.</param>
/// <param name="Warnings">What is unusual about the image for this category.</param>
/// <param name="Regions">Connected areas at or above the threshold, in pixels of the upright original.</param>
/// <param name="DefectAreaPercent">Area of all regions in percent of what counts for this category.</param>
/// <param name="Box">The smallest upright box around what the category inspects, in pixels of the upright
/// original.</param>
/// <param name="Corners">The corners of what it inspects, clockwise from the upper left one, as [x, y] in pixels of the
/// upright original; beyond its edge if the part is.</param>
internal sealed record RegionScore(
    string Category,
    int ModelVersion,
    bool Fallback,
    double Score,
    double Threshold,
    double? ScoreRatio,
    double PValue,
    Decision Decision,
    IReadOnlyList<ScoreWarning> Warnings,
    IReadOnlyList<AnomalyRegion> Regions,
    double DefectAreaPercent,
    RegionBox Box,
    IReadOnlyList<float[]> Corners
);

/// <summary>Represents the box of an image that a category inspects.</summary>
/// <param name="X">Its first column.</param>
/// <param name="Y">Its first row.</param>
/// <param name="Width">Pixels across.</param>
/// <param name="Height">Pixels down.</param>
internal sealed record RegionBox(int X, int Y, int Width, int Height)
{
    /// <summary>Creates the smallest upright box around a region; all of the image if there is none.</summary>
    public static RegionBox Create(RegionPlacement? region, Grid size) =>
        region?.FindBox() is { } box
            ? new RegionBox(box.X, box.Y, box.Width, box.Height)
            : new RegionBox(0, 0, size.Width, size.Height);

    /// <summary>Gets the corners of a region; those of the image if there is none.</summary>
    public static IReadOnlyList<float[]> GetCorners(RegionPlacement? region, Grid size) =>
        region is null
            ?
            [
                [0, 0],
                [size.Width, 0],
                [size.Width, size.Height],
                [0, size.Height],
            ]
            : [.. region.Corners.Select(corner => new[] { (float)corner.X, (float)corner.Y })];
}

/// <summary>Represents something unusual about an image.</summary>
/// <param name="Code">Stable code: `size_differs`, `too_dark`, `overexposed`, `blurred`, `low_range`,
/// `unlike_training`, `file_repaired`; of a form, `field_ignored`; of a category with `durable`, `not_recorded`.</param>
/// <param name="Detail">A sentence that says what is unusual, and what to check.</param>
internal sealed record ScoreWarning(string Code, string Detail);

/// <summary>Represents the image as it was received.</summary>
/// <param name="Width">Pixels across, upright.</param>
/// <param name="Height">Pixels down, upright.</param>
/// <param name="Sha256">SHA-256 hash of the bytes.</param>
internal sealed record ScoredImage(int Width, int Height, string Sha256);

/// <summary>Represents the time per stage, in milliseconds.</summary>
/// <param name="Queue">Waiting.</param>
/// <param name="Decode">Decoding and resizing.</param>
/// <param name="Embed">Backbone and reduction; on the device `cuda` also distances, upsampling and smoothing, which run
/// there in one pass.</param>
/// <param name="Distance">Distances of the patches; 0 if they are part of `embed`.</param>
/// <param name="Postprocess">Upsampling, smoothing, regions and heatmap.</param>
/// <param name="Total">Everything, from the last byte of the request.</param>
internal sealed record Timings(
    double Queue,
    double Decode,
    double Embed,
    double Distance,
    double Postprocess,
    double Total
);

/// <summary>Represents the results of a batch.</summary>
/// <param name="Results">The results, in the order of the files.</param>
internal sealed record BatchResponse(IReadOnlyList<BatchItem> Results);

/// <summary>Represents one file of a batch: its result, or an error.</summary>
/// <param name="FileName">The client's name for the file.</param>
/// <param name="Result">The result; null if there is an error.</param>
/// <param name="Error">The error; null if there is a result.</param>
internal sealed record BatchItem(string FileName, ScoreResponse? Result, BatchError? Error);

/// <summary>Represents why a file of a batch has no result.</summary>
/// <param name="Code">A stable code.</param>
/// <param name="Detail">A sentence that says what to do.</param>
internal sealed record BatchError(string Code, string Detail);
