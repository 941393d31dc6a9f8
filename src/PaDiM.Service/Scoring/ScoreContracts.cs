using PaDiM.Core.Scoring;
using PaDiM.Service.Models;

namespace PaDiM.Service.Scoring;

/// <summary>The score of an image and what it decides.</summary>
/// <param name="Category">Whose model scored it.</param>
/// <param name="ModelVersion">Which version.</param>
/// <param name="Fallback">The file of the active version is damaged, and this earlier one scores in its place: see
/// `damagedModels` of `GET /v1/system`.</param>
/// <param name="Score">Largest value of the anomaly map, at least 0.</param>
/// <param name="Threshold">Scores at or above it are anomalous.</param>
/// <param name="PValue">How surprising the score would be for a normal image: (1 + training images that score at least
/// as high) / (n + 1).</param>
/// <param name="Decision">What the score decides.</param>
/// <param name="Regions">Connected areas at or above the threshold, in pixels of the upright original, highest peak
/// first.</param>
/// <param name="Image">The image as it was received.</param>
/// <param name="Heatmap">Base64 PNG, with <c>?heatmap=</c>.</param>
/// <param name="TimingsMs">Where the time went, in milliseconds.</param>
/// <param name="Device">Where the backbone ran.</param>
internal sealed record ScoreResponse(
    string Category,
    int ModelVersion,
    bool Fallback,
    double Score,
    double Threshold,
    double PValue,
    Decision Decision,
    IReadOnlyList<AnomalyRegion> Regions,
    ScoredImage Image,
    byte[]? Heatmap,
    Timings TimingsMs,
    string Device
);

/// <summary>The image as it was received.</summary>
/// <param name="Width">Pixels, upright.</param>
/// <param name="Height">Pixels, upright.</param>
/// <param name="Sha256">Hash of its bytes.</param>
internal sealed record ScoredImage(int Width, int Height, string Sha256);

/// <summary>Where the time went, in milliseconds.</summary>
/// <param name="Queue">Waiting for a place.</param>
/// <param name="Decode">Decoding and resizing.</param>
/// <param name="Embed">Backbone and reduction; with the device `cuda` also distances, upsampling and smoothing, which
/// run there in one go.</param>
/// <param name="Distance">Distances of the patches; 0 where they count under `embed`.</param>
/// <param name="Postprocess">Upsampling, smoothing, regions and heatmap.</param>
/// <param name="Total">All of it, from the last byte of the request on.</param>
internal sealed record Timings(
    double Queue,
    double Decode,
    double Embed,
    double Distance,
    double Postprocess,
    double Total
);

/// <summary>Results of a batch.</summary>
/// <param name="Results">In the order of the files.</param>
internal sealed record BatchResponse(IReadOnlyList<BatchItem> Results);

/// <summary>One file of a batch: its result, or why it has none.</summary>
/// <param name="FileName">As the client called it.</param>
/// <param name="Result">Its score; null where there is an error.</param>
/// <param name="Error">Why it has no result; null where it has one.</param>
internal sealed record BatchItem(string FileName, ScoreResponse? Result, BatchError? Error);

/// <summary>Why a file of a batch has no result.</summary>
/// <param name="Code">A stable code.</param>
/// <param name="Detail">A sentence that says what to do.</param>
internal sealed record BatchError(string Code, string Detail);
