namespace PaDiM.Client;

/// <summary>Which inspections. Members that are null do not limit.</summary>
public sealed record InspectionFilter
{
    /// <summary>Gets the category.</summary>
    public string? Category { get; init; }

    /// <summary>Gets your name of the part.</summary>
    public string? Part { get; init; }

    /// <summary>Gets your name of the station.</summary>
    public string? Station { get; init; }

    /// <summary>Gets your name of the lot.</summary>
    public string? Lot { get; init; }

    /// <summary>Gets the decision.</summary>
    public Decision? Decision { get; init; }

    /// <summary>Gets the verdict, or that there is none.</summary>
    public VerdictFilter? Verdict { get; init; }

    /// <summary>Gets the first moment.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Gets the moment behind the last.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Gets the smallest score.</summary>
    public double? MinScore { get; init; }

    /// <summary>Gets the largest score.</summary>
    public double? MaxScore { get; init; }

    /// <summary>Gets the order of lists; null for the newest first.</summary>
    public InspectionOrder? Order { get; init; }

    internal static Query Write(InspectionFilter? filter, Query query) =>
        query
            .With("category", filter?.Category)
            .With("part", filter?.Part)
            .With("station", filter?.Station)
            .With("lot", filter?.Lot)
            .With("decision", filter?.Decision)
            .With("verdict", filter?.Verdict)
            .With("from", filter?.From)
            .With("to", filter?.To)
            .With("minScore", filter?.MinScore)
            .With("maxScore", filter?.MaxScore);
}
