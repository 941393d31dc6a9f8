namespace PaDiM.Trials.Cluster;

/// <summary>What was done to the machines, and what requests may meet of it.</summary>
/// <param name="Name">What was done.</param>
/// <param name="Begun">When it began.</param>
internal sealed record Incident(string Name, DateTime Begun)
{
    /// <summary>When it was over, and everything was as before.</summary>
    public DateTime Ended { get; set; } = DateTime.MaxValue;

    /// <summary>
    /// Until when a request that is sent may still reach a replica that is gone; null if none may fail. Of each client one
    /// was in progress there, at most.
    /// </summary>
    public DateTime? FailsUntil { get; init; }

    /// <summary>Whether uploads and jobs may be refused meanwhile.</summary>
    public bool RefusesWrites { get; init; }

    /// <summary>The replica that is cut off or stands still, and cannot know meanwhile what was activated.</summary>
    public string? Absent { get; init; }

    /// <summary>Whether no replica can know what was activated.</summary>
    public bool HidesVersions { get; init; }

    public bool Meets(Answer answer) => answer.Ended >= Begun && answer.Begun <= Ended;

    /// <summary>Gets whether a failure is one that the incident explains.</summary>
    public bool Explains(Answer answer) =>
        (FailsUntil is { } until && answer.Ended >= Begun && answer.Begun <= until)
        || (RefusesWrites && !answer.IsScore && answer.IsRefused && Meets(answer));
}
