using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Inspections;

namespace PaDiM.Service.Learning;

/// <summary>What to try on inspections of the past: a threshold, a version, or both.</summary>
internal sealed record LookbackRequest
{
    /// <summary>
    /// The threshold, at least 0. Default: that of the version. Alone, it is tried on the scores of the active version.
    /// </summary>
    public double? Threshold { get; init; }

    /// <summary>
    /// The version. What it did not score itself, it scores now, where the photograph is kept. Default: the active version,
    /// and only what it scored.
    /// </summary>
    public int? ModelVersion { get; init; }

    /// <summary>The first moment. Default: seven days before `to`.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>The moment behind the last. Default: when the job was asked for.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Gets the times that a request means.</summary>
    /// <param name="asked">When it was asked for.</param>
    public (DateTime From, DateTime To) GetSpan(DateTime asked)
    {
        var to = To?.UtcDateTime ?? asked;
        return (From?.UtcDateTime ?? to.AddDays(-7), to);
    }

    /// <summary>Gets the problem of a request that means nothing; null if it is fine.</summary>
    public Problem? Validate(DateTime asked) =>
        Threshold is null && ModelVersion is null ? Problems.InvalidRequest("Send threshold, modelVersion or both.")
        : Threshold is { } threshold && !(threshold >= 0 && double.IsFinite(threshold))
            ? Problems.InvalidRequest("threshold must be a number of at least 0.")
        : InspectionYears.Validate(From, To) is { } unfit ? unfit
        : GetSpan(asked) is var (from, to) && from >= to ? Problems.InvalidRequest("from must be before to.")
        : null;
}

/// <summary>What would have been decided.</summary>
/// <param name="Id">Identifier; equal to that of its job.</param>
/// <param name="Category">The category.</param>
/// <param name="ModelVersion">The version that was tried.</param>
/// <param name="CreatedAt">When it was done.</param>
/// <param name="Figures">The figures.</param>
internal sealed record LookbackResponse(
    string Id,
    string Category,
    int ModelVersion,
    DateTime CreatedAt,
    LookbackFigures Figures
);

/// <summary>Figures of a lookback.</summary>
/// <param name="Threshold">The threshold that was tried.</param>
/// <param name="From">The first moment.</param>
/// <param name="To">The moment behind the last.</param>
/// <param name="Inspections">Inspections of that time that the category decided.</param>
/// <param name="Replayed">Those that were decided again: the version had scored them, or their photograph is kept.</param>
/// <param name="Scored">Those of them whose photograph was scored again.</param>
/// <param name="Coverage">Inspections by their decision, and how many were decided again. What is kept of photographs
/// depends on the decision, so figures of a decision with little coverage say little.</param>
/// <param name="Decisions">Those that were decided again, by both decisions.</param>
/// <param name="Flips">Those whose decision would be another.</param>
/// <param name="Days">Figures per day (UTC), oldest first.</param>
internal sealed record LookbackFigures(
    double Threshold,
    DateTime From,
    DateTime To,
    long Inspections,
    long Replayed,
    long Scored,
    IReadOnlyList<LookbackCoverage> Coverage,
    IReadOnlyList<LookbackDecisions> Decisions,
    long Flips,
    IReadOnlyList<LookbackDay> Days
);

/// <summary>The inspections with one decision.</summary>
/// <param name="Decision">The decision.</param>
/// <param name="Inspections">How many.</param>
/// <param name="Replayed">How many were decided again.</param>
/// <param name="Share">Their share; null without inspections.</param>
internal sealed record LookbackCoverage(Decision Decision, long Inspections, long Replayed, double? Share);

/// <summary>Inspections by both decisions.</summary>
/// <param name="Decision">The decision of then.</param>
/// <param name="NewDecision">What it would be.</param>
/// <param name="Inspections">How many.</param>
internal sealed record LookbackDecisions(Decision Decision, Decision NewDecision, long Inspections);

/// <summary>A day.</summary>
/// <param name="Day">The day (UTC).</param>
/// <param name="Inspections">Inspections.</param>
/// <param name="Replayed">Those that were decided again.</param>
/// <param name="Rejects">Those of them that were anomalous.</param>
/// <param name="NewRejects">Those of them that would be anomalous.</param>
/// <param name="Flips">Those of them whose decision would be another.</param>
internal sealed record LookbackDay(
    DateOnly Day,
    long Inspections,
    long Replayed,
    long Rejects,
    long NewRejects,
    long Flips
);

/// <summary>An inspection whose decision would be another.</summary>
/// <param name="NewDecision">What it would be.</param>
/// <param name="NewScore">The score of the version that was tried.</param>
/// <param name="Inspection">The inspection as it was.</param>
internal sealed record LookbackFlip(Decision NewDecision, double NewScore, InspectionResponse Inspection);
