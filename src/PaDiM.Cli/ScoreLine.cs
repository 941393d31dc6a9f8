using System.Text.Json.Serialization;
using PaDiM.Core.InputChecks;
using PaDiM.Core.Scoring;

namespace PaDiM.Cli;

/// <summary>Represents the line that <c>padim score --json</c> prints per image.</summary>
internal sealed record ScoreLine(
    string Image,
    double? Score = null,
    double? Threshold = null,
    double? ScoreRatio = null,
    double? PValue = null,
    string? Decision = null,
    IReadOnlyList<AnomalyRegion>? Regions = null,
    double? DefectAreaPercent = null,
    string? Heatmap = null,
    IReadOnlyList<InputWarning>? Warnings = null,
    string? Error = null
);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(ScoreLine))]
internal sealed partial class CliJson : JsonSerializerContext;
