using PaDiM.Service.Data;
using PaDiM.Service.Inspections;

namespace PaDiM.Service.Learning;

/// <summary>The candidate to score in the shadow.</summary>
internal sealed record ShadowRequest
{
    /// <summary>Its version.</summary>
    public required int Version { get; init; }
}

/// <summary>A candidate beside the active version.</summary>
/// <param name="Version">The candidate.</param>
/// <param name="ActiveVersion">The version that decides.</param>
/// <param name="Since">Since when the candidate scores.</param>
/// <param name="Scored">Photographs that both scored since then, while this version was active.</param>
/// <param name="Missed">Photographs that the candidate did not score, because the line left it no time or no
/// memory.</param>
/// <param name="Differing">Photographs about which both decide differently.</param>
/// <param name="Decisions">Photographs by both decisions.</param>
/// <param name="Correlation">Correlation (Pearson) of the scores of both, -1 to 1; null for fewer than two photographs, or
/// equal scores.</param>
internal sealed record ShadowResponse(
    int Version,
    int ActiveVersion,
    DateTime Since,
    long Scored,
    long Missed,
    long Differing,
    IReadOnlyList<ShadowDecisions> Decisions,
    double? Correlation
)
{
    public static ShadowResponse Create(Shadow shadow, ShadowFigures figures) =>
        new(
            shadow.Version,
            shadow.ActiveVersion,
            shadow.Since,
            figures.Scored,
            figures.Missed,
            figures.Differing,
            figures.Decisions,
            figures.Correlation
        );
}

/// <summary>The comparison of a candidate with the active version.</summary>
internal sealed record ShadowFigures(
    long Scored,
    long Missed,
    long Differing,
    IReadOnlyList<ShadowDecisions> Decisions,
    double? Correlation
);

/// <summary>Photographs by the decisions of both versions.</summary>
/// <param name="Decision">That of the active version.</param>
/// <param name="ShadowDecision">That of the candidate.</param>
/// <param name="Inspections">How many.</param>
internal sealed record ShadowDecisions(Decision Decision, Decision ShadowDecision, long Inspections);

/// <summary>A photograph about which both versions decide differently.</summary>
/// <param name="InspectionId">The inspection.</param>
/// <param name="At">When it was scored.</param>
/// <param name="Decision">The decision of the active version.</param>
/// <param name="Score">Its score.</param>
/// <param name="ShadowDecision">The decision of the candidate.</param>
/// <param name="ShadowScore">Its score, on a scale of its own.</param>
/// <param name="Inspection">The inspection as it is kept; null if it is not, or no longer.</param>
internal sealed record ShadowDifference(
    string InspectionId,
    DateTime At,
    Decision Decision,
    double Score,
    Decision ShadowDecision,
    double ShadowScore,
    InspectionResponse? Inspection
);
