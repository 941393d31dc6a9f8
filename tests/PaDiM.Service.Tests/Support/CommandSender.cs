using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using MQTTnet;
using MQTTnet.Protocol;
using MQTTnet.Server;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests.Support;

/// <summary>A client that sends commands over MQTT 5 and waits for their answers.</summary>
internal sealed class CommandSender : IAsyncDisposable
{
    public const string Answers = "line/answers";

    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly ConcurrentQueue<MqttApplicationMessage> _received = new();

    private CommandSender() { }

    /// <summary>Starts a broker in this process, which cannot share subscriptions.</summary>
    public static async Task<MqttServer> StartBrokerAsync(int port)
    {
        var factory = new MqttServerFactory();
        var broker = factory.CreateMqttServer(
            factory.CreateServerOptionsBuilder().WithDefaultEndpoint().WithDefaultEndpointPort(port).Build()
        );
        await broker.StartAsync();
        return broker;
    }

    public static async Task<CommandSender> ConnectAsync(int port, params string[] topics)
    {
        var sender = new CommandSender();
        sender._client.ApplicationMessageReceivedAsync += arguments =>
        {
            var message = arguments.ApplicationMessage;
            message.PayloadSegment = new ArraySegment<byte>(message.Payload.ToArray());
            sender._received.Enqueue(message);
            return Task.CompletedTask;
        };
        await sender._client.ConnectAsync(
            new MqttClientOptionsBuilder()
                .WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V500)
                .WithTcpServer("127.0.0.1", port)
                .Build()
        );
        foreach (var topic in topics.Append(Answers))
            await sender._client.SubscribeAsync(topic, MqttQualityOfServiceLevel.AtLeastOnce);
        return sender;
    }

    public int Received => _received.Count;

    /// <summary>Sends a command, and returns its answer.</summary>
    public async Task<MqttApplicationMessage> AskAsync(
        string topic,
        byte[] payload,
        Action<MqttApplicationMessageBuilder>? change = null
    )
    {
        var correlation = Guid.NewGuid().ToByteArray();
        await SendAsync(
            topic,
            payload,
            message =>
            {
                message.WithResponseTopic(Answers).WithCorrelationData(correlation);
                change?.Invoke(message);
            }
        );
        return await WaitAsync(answer => answer.CorrelationData?.AsSpan().SequenceEqual(correlation) is true);
    }

    public Task SendAsync(string topic, byte[] payload, Action<MqttApplicationMessageBuilder>? change = null)
    {
        var message = new MqttApplicationMessageBuilder()
            .WithTopic(topic)
            .WithPayload(payload)
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce);
        change?.Invoke(message);
        return _client.PublishAsync(message.Build());
    }

    public async Task<MqttApplicationMessage> WaitAsync(Func<MqttApplicationMessage, bool> fits)
    {
        MqttApplicationMessage? found = null;
        await Eventually.TrueAsync(
            () => Task.FromResult((found = _received.FirstOrDefault(fits)) is not null),
            () => $"No answer; {_received.Count} others."
        );
        return found!;
    }

    public static JsonNode Read(MqttApplicationMessage message) =>
        JsonNode.Parse(Encoding.UTF8.GetString(message.Payload))!;

    public async ValueTask DisposeAsync()
    {
        if (_client.IsConnected)
            await _client.DisconnectAsync();
        _client.Dispose();
    }
}
