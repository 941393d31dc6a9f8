using PaDiM.Core.Scoring;
using PaDiM.Service.Data;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Represents what happened to one photograph of the line: who was inspected, what was decided, and by what. It is made
/// once per photograph behind its answer (<see cref="InspectionFeed"/>), also where several categories score it: then it
/// has the result that decides.
/// </summary>
/// <param name="Id">Unique within the category: the client's, or a new one that sorts by time.</param>
/// <param name="Category">The category that the photograph was sent to.</param>
/// <param name="Part">The client's name for the part.</param>
/// <param name="Station">The client's name for the station.</param>
/// <param name="Lot">The client's name for the lot.</param>
/// <param name="At">When it was scored.</param>
/// <param name="Decision">The decision.</param>
/// <param name="Score">The score.</param>
/// <param name="Threshold">The threshold in force.</param>
/// <param name="PValue">How surprising the score would be for a normal image.</param>
/// <param name="DecidedBy">The category whose model decided: <paramref name="Category"/>, or one of its regions.</param>
/// <param name="ModelVersion">The version of that model.</param>
/// <param name="ThresholdVersion">The number of changes of that category's threshold until then.</param>
/// <param name="Fallback">Whether an earlier version scored in place of a damaged one.</param>
/// <param name="Regions">Where defects were found, by all categories that scored the photograph, in its pixels.</param>
/// <param name="Warnings">Codes of the warnings about the photograph.</param>
/// <param name="Image">The size of the photograph, and the hash of its bytes as received.</param>
/// <param name="TimingsMs">Time per stage, in milliseconds.</param>
/// <param name="Replica">The replica that scored.</param>
internal sealed record Inspection(
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
    ScoredImage Image,
    Timings TimingsMs,
    string Replica
);
