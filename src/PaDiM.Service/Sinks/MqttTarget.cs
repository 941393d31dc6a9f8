using System.Text.Json;
using MQTTnet;
using MQTTnet.Protocol;

namespace PaDiM.Service.Sinks;

/// <summary>Publishes inspections to a broker as JSON, over one connection that is kept.</summary>
internal sealed class MqttTarget : SinkTarget
{
    private readonly MqttRequest _settings;
    private readonly MqttConnection _connection;
    private readonly string? _statusTopic;
    private readonly SemaphoreSlim _connecting = new(1, 1);
    private readonly TimeProvider _time;
    private bool _isDisposed;

    /// <summary>Prepares a client. It connects with the first message.</summary>
    /// <exception cref="DeliveryException">A certificate cannot be used.</exception>
    public MqttTarget(string sink, MqttRequest settings, SinkSecrets secrets, string replica, TimeProvider time)
    {
        _settings = settings;
        _time = time;
        _statusTopic =
            settings.StatusTopic.Length == 0
                ? null
                : settings.StatusTopic.Replace("{replica}", TopicTemplate.Escape(replica), StringComparison.Ordinal);
        _connection = new MqttConnection($"padim-{sink}-{replica}", settings, secrets);
    }

    public override async Task<string> SendAsync(SinkMessage message, CancellationToken cancellationToken)
    {
        await ConnectAsync(cancellationToken);
        return await _connection.PublishAsync(
            new MqttApplicationMessage
            {
                Topic = TopicTemplate.Fill(_settings.Topic, message.Inspection),
                PayloadSegment = new ArraySegment<byte>(
                    JsonSerializer.SerializeToUtf8Bytes(message.Inspection, SinkJson.Options)
                ),
                PayloadFormatIndicator = MqttPayloadFormatIndicator.CharacterData,
                ContentType = "application/json",
                QualityOfServiceLevel = (MqttQualityOfServiceLevel)_settings.Qos,
                // The last state is that of the newest inspection.
                Retain = _settings.Retain && !message.IsLate && !message.IsTest,
            },
            cancellationToken
        );
    }

    public override async ValueTask DisposeAsync()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            await _connection.CloseAsync(CreateStatus(isOnline: false));
            _connecting.Dispose();
        }
        await base.DisposeAsync();
    }

    private async Task ConnectAsync(CancellationToken cancellationToken)
    {
        if (_connection.IsConnected)
            return;
        await _connecting.WaitAsync(cancellationToken);
        try
        {
            if (_connection.IsConnected)
                return;
            await _connection.ConnectAsync(CreateStatus(isOnline: false), cancellationToken);
            if (CreateStatus(isOnline: true) is { } status)
                await _connection.PublishAsync(status, cancellationToken);
        }
        catch (DeliveryException e) when (e.IsRefused)
        {
            // A broker that does not want the status may want the inspections.
        }
        finally
        {
            _connecting.Release();
        }
    }

    /// <summary>Gets the message that says whether the replica is connected; null if there is none.</summary>
    private MqttApplicationMessage? CreateStatus(bool isOnline) =>
        _statusTopic is null
            ? null
            : new MqttApplicationMessage
            {
                Topic = _statusTopic,
                PayloadSegment = new ArraySegment<byte>(
                    JsonSerializer.SerializeToUtf8Bytes(
                        new { online = isOnline, since = _time.GetUtcNow().UtcDateTime },
                        SinkJson.Options
                    )
                ),
                ContentType = "application/json",
                QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
                Retain = true,
            };
}
