using System.Text.Json.Serialization;

namespace PaDiM.Cli.Watch;

/// <summary>Represents what became of a file: a score, or why there is none.</summary>
internal sealed record WatchLine(
    string File,
    DateTime ScoredAt,
    string InspectionId,
    string? PartId,
    string? StationId,
    string? LotId,
    string? Category = null,
    int? ModelVersion = null,
    string? Decision = null,
    double? Score = null,
    double? Threshold = null,
    double? PValue = null,
    string? Warnings = null,
    string? Code = null,
    string? Error = null
);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(WatchLine))]
internal sealed partial class WatchJson : JsonSerializerContext;
