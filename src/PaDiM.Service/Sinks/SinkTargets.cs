using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Sinks;

/// <summary>Makes the receivers of sinks.</summary>
internal sealed class SinkTargets(
    IOptions<ReplicaOptions> replica,
    IOptions<SinkOptions> options,
    IOptions<DataOptions> data,
    DataDirectory directory,
    TimeProvider time
)
{
    private readonly ConcurrentDictionary<string, SparkplugSessions> _sessions = new(StringComparer.Ordinal);

    /// <summary>Gets where a sink writes. Its name is a name of a folder: see the rules.</summary>
    public string GetFolder(string sink) =>
        Path.GetFullPath(Path.Combine(options.Value.SinkDirectory ?? directory.Sinks, sink));

    /// <summary>Gets the identifier of a sink's edge node on this replica.</summary>
    public string GetNode(string sink) => SparkplugTopics.GetNode(sink, replica.Value.ReplicaName);

    /// <summary>Forgets a sink that was deleted.</summary>
    public void Forget(string sink) => _sessions.TryRemove(sink, out _);

    public SinkTarget Create(SinkDefinition definition) =>
        definition switch
        {
            { Secrets: null } => new LockedTarget(),
            { Settings.Webhook: { } webhook, Secrets: { } secrets } => new WebhookTarget(
                webhook,
                secrets.Webhook,
                time
            ),
            { Settings.Mqtt: { Sparkplug: not null } mqtt, Secrets: { } secrets } => new SparkplugTarget(
                definition,
                mqtt,
                secrets,
                replica.Value.ReplicaName,
                _sessions.GetOrAdd(definition.Name, _ => new SparkplugSessions()),
                time
            ),
            { Settings.Mqtt: { } mqtt, Secrets: { } secrets } => new MqttTarget(
                definition.Name,
                mqtt,
                secrets,
                replica.Value.ReplicaName,
                time
            ),
            { Settings.Folder: { } folder } => new FolderTarget(
                folder,
                GetFolder(definition.Name),
                replica.Value.ReplicaName,
                data.Value.MinFreeBytes,
                time
            ),
            _ => throw new InvalidOperationException($"The sink {definition.Name} has no receiver."),
        };

    /// <summary>A receiver whose secrets this replica cannot open.</summary>
    private sealed class LockedTarget : SinkTarget
    {
        public override Task<string> SendAsync(SinkMessage message, CancellationToken cancellationToken) =>
            throw new DeliveryException(
                "The stored secrets cannot be opened with this replica's key (SinkKeyFile). Give every replica the same "
                    + "key, or send the secrets again."
            );
    }
}
