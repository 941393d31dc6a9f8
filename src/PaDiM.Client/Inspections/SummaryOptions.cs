namespace PaDiM.Client;

/// <summary>Which inspections are counted, and in which spans of time.</summary>
public sealed record SummaryOptions
{
    /// <summary>Gets the category; null for all.</summary>
    public string? Category { get; init; }

    /// <summary>Gets what is counted together; null for days.</summary>
    public FigureSpan? By { get; init; }

    /// <summary>Gets the first moment.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Gets the moment behind the last.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Gets the time zone of the line, such as <c>Europe/Berlin</c>; null for UTC.</summary>
    public string? TimeZone { get; init; }

    /// <summary>Gets the local times at which shifts start, with commas; null for <c>06:00,14:00,22:00</c>.</summary>
    public string? Shifts { get; init; }

    internal Query Write(Query query) =>
        query
            .With("category", Category)
            .With("by", By)
            .With("from", From)
            .With("to", To)
            .With("timeZone", TimeZone)
            .With("shifts", Shifts);
}
