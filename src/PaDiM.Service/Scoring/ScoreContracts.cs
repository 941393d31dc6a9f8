using PaDiM.Core.Scoring;
using PaDiM.Service.Models;

namespace PaDiM.Service.Scoring;

/// <summary>The score of an image and what it decides.</summary>
/// <param name="Category">Whose model scored it.</param>
/// <param name="ModelVersion">Which version.</param>
/// <param name="Score">Largest value of the anomaly map, at least 0.</param>
/// <param name="Threshold">Scores at or above it are anomalous.</param>
/// <param name="PValue">How surprising the score would be for a normal image: (1 + training images that score at least as high) / (n + 1).</param>
/// <param name="Decision">What the score decides.</param>
/// <param name="Regions">Connected areas at or above the threshold, in pixels of the upright original, highest peak first.</param>
/// <param name="Image">The image as it was received.</param>
/// <param name="Heatmap">Base64 PNG, with <c>?heatmap=</c>.</param>
/// <param name="TimingsMs">Where the time went, in milliseconds.</param>
/// <param name="Device">Where the backbone ran.</param>
internal sealed record ScoreResponse(
    string Category,
    int ModelVersion,
    double Score,
    double Threshold,
    double PValue,
    Decision Decision,
    IReadOnlyList<AnomalyRegion> Regions,
    ScoredImage Image,
    byte[]? Heatmap,
    Timings TimingsMs,
    string Device);

/// <summary>The image as it was received.</summary>
internal sealed record ScoredImage(int Width, int Height, string Sha256);

/// <summary>Milliseconds: waiting, decoding and resizing, backbone and reduction, distances, upsampling to heatmap, and all from the last byte of the request on.</summary>
internal sealed record Timings(double Queue, double Decode, double Embed, double Distance, double Postprocess, double Total);

/// <summary>Results in the order of the files.</summary>
internal sealed record BatchResponse(IReadOnlyList<BatchItem> Results);

/// <summary>One file of a batch: its result, or why it has none.</summary>
internal sealed record BatchItem(string FileName, ScoreResponse? Result, BatchError? Error);

/// <summary>Why a file of a batch has no result.</summary>
internal sealed record BatchError(string Code, string Detail);
