using PaDiM.Service.Data;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.Sinks;

/// <summary>A sink: which inspections, and where to. Exactly one receiver is named.</summary>
internal sealed record SinkRequest
{
    /// <summary>Whether new inspections are sent. What waits already is sent in any case.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Only inspections of these categories, at most 1000; they need not exist yet. All if omitted.</summary>
    public string[]? Categories { get; init; }

    /// <summary>Only inspections with these decisions: `normal`, `review`, `anomalous`. All if omitted.</summary>
    public Decision[]? Decisions { get; init; }

    /// <summary>How long one attempt may take, in seconds, 1 to 30.</summary>
    public int TimeoutSeconds { get; init; } = 10;

    /// <summary>Sends a CloudEvent by HTTP.</summary>
    public WebhookRequest? Webhook { get; init; }

    /// <summary>Publishes to an MQTT broker.</summary>
    public MqttRequest? Mqtt { get; init; }

    /// <summary>Writes to a folder of each replica's machine.</summary>
    public FolderRequest? Folder { get; init; }
}

/// <summary>A webhook: CloudEvents 1.0 as JSON, signed as Standard Webhooks are.</summary>
internal sealed record WebhookRequest
{
    /// <summary>Where to: `https` or `http`, without user and fragment, at most 2048 characters.</summary>
    public string? Url { get; init; }

    /// <summary>
    /// One or two secrets: `whsec_` and 24 to 64 bytes as Base64. Each signs, so that two allow a change without a gap.
    /// Never returned; those that are stored stay if omitted.
    /// </summary>
    public string[]? Secrets { get; init; }

    /// <summary>
    /// Whether private, loopback and link-local addresses are allowed. Those where clouds hand out credentials never are.
    /// </summary>
    public bool AllowPrivate { get; init; }
}

/// <summary>A sink.</summary>
/// <param name="Name">Name.</param>
/// <param name="Enabled">Whether new inspections are sent.</param>
/// <param name="Categories">Only inspections of these categories; null for all.</param>
/// <param name="Decisions">Only inspections with these decisions; null for all.</param>
/// <param name="TimeoutSeconds">How long one attempt may take, in seconds.</param>
/// <param name="Webhook">The webhook; null for other kinds.</param>
/// <param name="Mqtt">The broker; null for other kinds.</param>
/// <param name="Folder">The folder; null for other kinds.</param>
/// <param name="CreatedAt">Time of creation.</param>
/// <param name="ChangedAt">Time of the last change.</param>
/// <param name="Status">How it does, on the replica that answers.</param>
internal sealed record SinkResponse(
    string Name,
    bool Enabled,
    IReadOnlyList<string>? Categories,
    IReadOnlyList<Decision>? Decisions,
    int TimeoutSeconds,
    WebhookResponse? Webhook,
    MqttResponse? Mqtt,
    FolderResponse? Folder,
    DateTime CreatedAt,
    DateTime ChangedAt,
    SinkStatus? Status
);

/// <summary>A webhook, without its secrets.</summary>
/// <param name="Url">Where to.</param>
/// <param name="Secrets">How many secrets sign.</param>
/// <param name="AllowPrivate">Whether private, loopback and link-local addresses are allowed.</param>
internal sealed record WebhookResponse(string Url, int Secrets, bool AllowPrivate);

/// <summary>Whether a sink sends.</summary>
internal enum SinkCircuit
{
    /// <summary>It sends.</summary>
    Closed,

    /// <summary>The receiver has failed several times: for a while nothing is sent.</summary>
    Open,

    /// <summary>The next inspection tries the receiver.</summary>
    HalfOpen,
}

/// <summary>How a sink does on one replica since that started.</summary>
/// <param name="Replica">Name of the replica.</param>
/// <param name="Circuit">`closed` if it sends; `open` if the receiver has failed and nothing is sent for a while;
/// `half-open` if the next inspection tries it.</param>
/// <param name="Queued">Inspections in the memory of the replica that wait to be sent.</param>
/// <param name="Delivered">Inspections that the receiver took.</param>
/// <param name="Failed">Inspections that became dead letters, or went back to them.</param>
/// <param name="Dropped">Inspections that were lost: the queue was full, or the dead letters were, or could not be
/// stored.</param>
/// <param name="DeadLetters">Dead letters in the database, of all replicas.</param>
/// <param name="DeliveredAt">When the receiver last took one; null if never.</param>
/// <param name="Error">Why the last attempt failed; null if it did not.</param>
internal sealed record SinkStatus(
    string Replica,
    SinkCircuit Circuit,
    int Queued,
    long Delivered,
    long Failed,
    long Dropped,
    int DeadLetters,
    DateTime? DeliveredAt,
    string? Error
);

/// <summary>What the receiver said to a test.</summary>
/// <param name="Delivered">Whether it took the test.</param>
/// <param name="DurationMs">How long it took, in milliseconds.</param>
/// <param name="Detail">What it said, or what went wrong.</param>
internal sealed record SinkTestResponse(bool Delivered, double DurationMs, string Detail);

/// <summary>An inspection that was not delivered.</summary>
/// <param name="Id">Identifier.</param>
/// <param name="State">`waiting`: sent again by itself when the receiver is back. `refused`: the receiver does not want
/// it; it waits for you.</param>
/// <param name="Error">Why it was not delivered.</param>
/// <param name="Attempts">How often it was sent.</param>
/// <param name="CreatedAt">When it was given up.</param>
/// <param name="TriedAt">When it was last sent.</param>
/// <param name="Inspection">The inspection.</param>
internal sealed record DeadLetterResponse(
    string Id,
    DeadLetterState State,
    string Error,
    int Attempts,
    DateTime CreatedAt,
    DateTime TriedAt,
    Inspection Inspection
);

/// <summary>How many dead letters are affected.</summary>
/// <param name="Count">Number of dead letters.</param>
internal sealed record DeadLetterCount(int Count);
