namespace PaDiM.Client;

/// <summary>What the handlers must know about a request.</summary>
internal sealed record RequestTraits
{
    private static readonly HttpRequestOptionsKey<RequestTraits> Key = new("PaDiM.Client.Traits");

    /// <summary>Gets whether sending it twice has the effect of sending it once.</summary>
    public bool IsRepeatable { get; init; }

    /// <summary>Gets whether its body can be sent again.</summary>
    public bool CanSendAgain { get; init; } = true;

    /// <summary>Gets whether it carries files or events, and may take as long as they do.</summary>
    public bool IsTransfer { get; init; }

    /// <summary>Gets whether its answer is read whole, so that one cut short is a failed try.</summary>
    public bool IsBuffered { get; init; } = true;

    /// <summary>Gets how long a score is of use, from <see cref="StartedAt"/> on; null for always.</summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>Gets when it was first sent, as a timestamp of the clock.</summary>
    public long StartedAt { get; init; }

    /// <summary>Gets how long it may take, its retries included; null for as long as it takes.</summary>
    public TimeSpan? Budget { get; init; }

    public static RequestTraits Of(HttpRequestMessage? request) =>
        request is not null && request.Options.TryGetValue(Key, out var traits) ? traits : new RequestTraits();

    public void Mark(HttpRequestMessage request) => request.Options.Set(Key, this);
}
