using Google.Protobuf;
using MQTTnet;
using MQTTnet.Protocol;
using Org.Eclipse.Tahu.Protobuf;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.Sinks;

/// <summary>
/// An edge node of Sparkplug 3.0: born with its connection, dead with it, and with a device for each category that has been
/// inspected. Hosts number what they get, so everything is published one after the other.
/// </summary>
internal sealed class SparkplugTarget : SinkTarget
{
    private const int Numbers = 256;

    private readonly MqttConnection _connection;
    private readonly SparkplugTopics _topics;
    private readonly SparkplugSessions _sessions;
    private readonly TimeProvider _time;
    private readonly TimeSpan _patience;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly CancellationTokenSource _stop = new();

    /// <summary>The newest inspection of each device; null before it has one.</summary>
    private readonly Dictionary<string, Inspection?> _devices = new(StringComparer.Ordinal);
    private int _session,
        _number,
        _isRebirthAsked;
    private bool _isSubscribed,
        _isAlive,
        _isDisposed;
    private Task _rebirth = Task.CompletedTask;

    /// <summary>Prepares a client. The edge node is born with the first message.</summary>
    /// <exception cref="DeliveryException">A certificate cannot be used.</exception>
    public SparkplugTarget(
        SinkDefinition definition,
        MqttRequest settings,
        SinkSecrets secrets,
        string replica,
        SparkplugSessions sessions,
        TimeProvider time
    )
    {
        (_sessions, _time, _patience) = (sessions, time, definition.Patience);
        _topics = new SparkplugTopics(settings.Sparkplug!.Group!, SparkplugTopics.GetNode(definition.Name, replica));
        _connection = new MqttConnection($"padim-{definition.Name}-{replica}", settings, secrets);
        _connection.Receive(TakeCommand);
    }

    public override async Task<string> SendAsync(SinkMessage message, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            await LiveAsync(cancellationToken);
            var inspection = message.Inspection;
            // A host would keep a device of its own for a test.
            if (message.IsTest)
                return await PublishAsync(
                    _topics.NodeData,
                    SparkplugPayloads.CreateTest(inspection),
                    cancellationToken
                );
            if (!_devices.ContainsKey(inspection.Category))
            {
                await PublishDeviceBirthAsync(inspection.Category, null, cancellationToken);
                _devices.Add(inspection.Category, null);
            }
            var said = await PublishAsync(
                _topics.GetDeviceData(inspection.Category),
                SparkplugPayloads.CreateDeviceData(inspection, message.IsLate),
                cancellationToken
            );
            if (!message.IsLate)
                _devices[inspection.Category] = inspection;
            return said;
        }
        finally
        {
            _gate.Release();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            await _stop.CancelAsync();
            await _rebirth;
            // With both the message and the will: MQTT 5 tells the broker so, and either has the number of the session.
            await _connection.CloseAsync(_isSubscribed ? CreateDeath() : null, withWill: true);
            _gate.Dispose();
            _stop.Dispose();
        }
        await base.DisposeAsync();
    }

    /// <summary>Connects and publishes the birth certificates, unless that has been done.</summary>
    private async Task LiveAsync(CancellationToken cancellationToken)
    {
        if (!_connection.IsConnected)
        {
            (_isSubscribed, _isAlive) = (false, false);
            _session = _sessions.Next();
            await _connection.ConnectAsync(CreateDeath(), cancellationToken);
        }
        if (!_isSubscribed)
            await _connection.SubscribeAsync(_topics.NodeCommand, cancellationToken);
        _isSubscribed = true;
        if (_isAlive && Interlocked.Exchange(ref _isRebirthAsked, 0) == 0)
            return;
        (_number, _isRebirthAsked) = (0, 0);
        await PublishAsync(
            _topics.NodeBirth,
            SparkplugPayloads.CreateNodeBirth(_session, _time.GetUtcNow()),
            cancellationToken
        );
        foreach (var (device, newest) in _devices)
            await PublishDeviceBirthAsync(device, newest, cancellationToken);
    }

    private Task<string> PublishDeviceBirthAsync(
        string device,
        Inspection? newest,
        CancellationToken cancellationToken
    ) =>
        PublishAsync(
            _topics.GetDeviceBirth(device),
            SparkplugPayloads.CreateDeviceBirth(newest, _time.GetUtcNow()),
            cancellationToken
        );

    /// <summary>Publishes a message with the next number.</summary>
    private async Task<string> PublishAsync(string topic, Payload payload, CancellationToken cancellationToken)
    {
        payload.Timestamp = SparkplugPayloads.ToMilliseconds(_time.GetUtcNow());
        payload.Seq = (ulong)_number;
        _number = (_number + 1) % Numbers;
        // If this fails, it is unknown whether the host got the number: then everything is born again.
        _isAlive = false;
        var said = await _connection.PublishAsync(CreateMessage(topic, payload), cancellationToken);
        _isAlive = true;
        return said;
    }

    /// <summary>Runs where messages are received, which must go on: the answer is sent by another task.</summary>
    private void TakeCommand(MqttApplicationMessage message)
    {
        if (message.Topic != _topics.NodeCommand || !AsksForRebirth(message))
            return;
        // Those that come before it is answered have the same answer.
        if (Interlocked.Exchange(ref _isRebirthAsked, 1) == 0)
            _rebirth = Task.Run(BearAgainAsync);
    }

    private async Task BearAgainAsync()
    {
        try
        {
            using var patience = new CancellationTokenSource(_patience, _time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _stop.Token);
            await _gate.WaitAsync(both.Token);
            try
            {
                if (_connection.IsConnected)
                    await LiveAsync(both.Token);
            }
            finally
            {
                _gate.Release();
            }
        }
        catch (Exception e) when (e is DeliveryException or OperationCanceledException or ObjectDisposedException)
        {
            // The next message does it, if there is one.
        }
    }

    private MqttApplicationMessage CreateDeath()
    {
        var death = CreateMessage(_topics.NodeDeath, SparkplugPayloads.CreateNodeDeath(_session, _time.GetUtcNow()));
        death.QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce;
        return death;
    }

    /// <summary>The specification asks for QoS 0, and that nothing is retained.</summary>
    private static MqttApplicationMessage CreateMessage(string topic, Payload payload) =>
        new()
        {
            Topic = topic,
            PayloadSegment = new ArraySegment<byte>(payload.ToByteArray()),
            QualityOfServiceLevel = MqttQualityOfServiceLevel.AtMostOnce,
        };

    private static bool AsksForRebirth(MqttApplicationMessage message)
    {
        try
        {
            return SparkplugPayloads.AsksForRebirth(Payload.Parser.ParseFrom(message.Payload));
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }
}
