using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Inspections;
using PaDiM.Service.Jobs;

namespace PaDiM.Service.Learning;

/// <summary>Good inspections to learn from: either `ids` or `query`.</summary>
internal sealed record LearnRequest
{
    /// <summary>Most photographs of one request: each is decoded before the answer.</summary>
    public const int MaxImages = 500;

    /// <summary>Identifiers of inspections, 1 to 500.</summary>
    public IReadOnlyList<string>? Ids { get; init; }

    /// <summary>
    /// Every inspection that meets all conditions, has the verdict <c>good</c> and a kept photograph, and is not learnt
    /// yet; oldest first, up to 500.
    /// </summary>
    public LearnQuery? Query { get; init; }

    /// <summary>
    /// Whether to fit a candidate to what was learnt. Default: true. It is published without being activated.
    /// </summary>
    public bool Fit { get; init; } = true;

    /// <summary>Whether the candidate scores in the shadow of the active version as soon as it is published.</summary>
    public bool Shadow { get; init; }

    /// <summary>Gets the problem of a request that names nothing, or too much; null if it is fine.</summary>
    public Problem? Validate() =>
        Ids is null == Query is null ? Problems.InvalidRequest("Send either ids or query; {\"query\": {}} means all.")
        : Ids is { Count: 0 or > MaxImages } ? Problems.InvalidRequest($"ids must have 1 to {MaxImages} entries.")
        : Ids?.Contains(null!) is true ? Problems.InvalidRequest("ids must not have null for an entry.")
        : Query?.ToInspections("category").Validate();
}

/// <summary>Conditions for inspections.</summary>
internal sealed record LearnQuery
{
    /// <summary>The client's name for the part.</summary>
    public string? Part { get; init; }

    /// <summary>The client's name for the station.</summary>
    public string? Station { get; init; }

    /// <summary>The client's name for the lot.</summary>
    public string? Lot { get; init; }

    /// <summary>The decision.</summary>
    public Decision? Decision { get; init; }

    /// <summary>The first moment.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>The moment behind the last.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>The lowest score.</summary>
    public double? MinScore { get; init; }

    /// <summary>The highest score.</summary>
    public double? MaxScore { get; init; }

    /// <summary>Gets the query for good inspections of a category.</summary>
    public InspectionQuery ToInspections(string category) =>
        new(
            category,
            Part,
            Station,
            Lot,
            Decision is { } decision ? new Choice<Decision>(decision) : null,
            new Choice<VerdictFilter>(VerdictFilter.Good),
            From,
            To,
            MinScore,
            MaxScore
        );
}

/// <summary>What was learnt.</summary>
/// <param name="Added">Photographs that the training set has now.</param>
/// <param name="Duplicates">Photographs that it had before: the same bytes or the same pixels.</param>
/// <param name="Refused">Inspections that were not learnt; the others are learnt anyway.</param>
/// <param name="More">Whether more inspections meet the conditions; send the request again.</param>
/// <param name="Job">The fit of the candidate; null if none was asked for, none is needed, or none can be made.</param>
/// <param name="NotFitted">Why there is no fit although one was needed; the photographs are added all the same.</param>
internal sealed record LearnResponse(
    IReadOnlyList<LearntImage> Added,
    IReadOnlyList<LearntImage> Duplicates,
    IReadOnlyList<RefusedInspection> Refused,
    bool More,
    JobResponse? Job,
    JobError? NotFitted
);

/// <summary>A photograph of the training set.</summary>
/// <param name="InspectionId">The inspection that it is from.</param>
/// <param name="ImageId">Identifier of the image.</param>
internal sealed record LearntImage(string InspectionId, string ImageId);

/// <summary>An inspection that was not learnt.</summary>
/// <param name="InspectionId">Its identifier.</param>
/// <param name="Code">Stable code.</param>
/// <param name="Detail">What to do about it.</param>
internal sealed record RefusedInspection(string InspectionId, string Code, string Detail);
