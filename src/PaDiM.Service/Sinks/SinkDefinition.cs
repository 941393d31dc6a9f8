using System.Text.Json.Serialization;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.Sinks;

/// <summary>A sink as stored, with its secrets opened.</summary>
/// <param name="Name">Name.</param>
/// <param name="Settings">What was asked for, without secrets.</param>
/// <param name="Secrets">The secrets; null if this replica cannot open them.</param>
/// <param name="Revision">Differs after every change.</param>
internal sealed record SinkDefinition(string Name, SinkRequest Settings, SinkSecrets? Secrets, string Revision)
{
    private readonly HashSet<string>? _categories = Settings.Categories?.ToHashSet(StringComparer.Ordinal);

    /// <summary>Gets how long one attempt may take.</summary>
    public TimeSpan Patience => TimeSpan.FromSeconds(Settings.TimeoutSeconds);

    /// <summary>Gets whether the sink sends an inspection.</summary>
    public bool Wants(Inspection inspection) =>
        Settings.Enabled
        && (_categories is null || _categories.Contains(inspection.Category))
        && (Settings.Decisions is null || Settings.Decisions.Contains(inspection.Decision));
}

/// <summary>What a sink keeps to itself.</summary>
internal sealed record SinkSecrets
{
    /// <summary>Gets the secrets that sign a webhook.</summary>
    public string[] Webhook { get; init; } = [];

    /// <summary>Gets the password at a broker.</summary>
    public string? MqttPassword { get; init; }

    /// <summary>Gets the key of the certificate that a broker sees.</summary>
    public string? MqttKey { get; init; }

    /// <summary>Gets whether there is nothing to keep.</summary>
    [JsonIgnore]
    public bool IsEmpty => Webhook.Length == 0 && MqttPassword is null && MqttKey is null;
}
