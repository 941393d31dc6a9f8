using System.Collections.Concurrent;
using Google.Protobuf;
using MQTTnet;
using MQTTnet.Protocol;
using Org.Eclipse.Tahu.Protobuf;
using PaDiM.Service.TestSupport;
using Metric = Org.Eclipse.Tahu.Protobuf.Payload.Types.Metric;

namespace PaDiM.Service.Tests;

/// <summary>A host that hears all edge nodes of a group.</summary>
internal sealed class SparkplugHost : IAsyncDisposable
{
    private readonly ConcurrentQueue<SparkplugMessage> _heard = new();
    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly string _group;

    private SparkplugHost(string group) => _group = group;

    public static async Task<SparkplugHost> StartAsync(int port, string group)
    {
        var host = new SparkplugHost(group);
        host._client.ApplicationMessageReceivedAsync += arguments =>
        {
            var message = arguments.ApplicationMessage;
            if (!message.Topic.Contains("/NCMD/", StringComparison.Ordinal))
                host._heard.Enqueue(
                    new SparkplugMessage(
                        message.Topic,
                        (int)message.QualityOfServiceLevel,
                        message.Retain,
                        Payload.Parser.ParseFrom(message.Payload)
                    )
                );
            return Task.CompletedTask;
        };
        await host._client.ConnectAsync(
            new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", port).WithClientId("host").Build()
        );
        await host._client.SubscribeAsync(
            new MqttClientSubscribeOptionsBuilder()
                .WithTopicFilter($"spBv1.0/{group}/#", MqttQualityOfServiceLevel.ExactlyOnce, retainAsPublished: true)
                .Build()
        );
        return host;
    }

    /// <summary>Waits for so many messages in all, and gets them.</summary>
    public async Task<SparkplugMessage[]> HearAsync(int count)
    {
        await Eventually.TrueAsync(
            () => Task.FromResult(_heard.Count >= count),
            () => $"{_heard.Count} of {count}: {string.Join(", ", _heard.Select(message => message.Topic))}"
        );
        return [.. _heard];
    }

    /// <summary>Sends a command to an edge node.</summary>
    public Task CommandAsync(string node, string metric, bool value)
    {
        var command = new Payload();
        command.Metrics.Add(new Metric { Name = metric, BooleanValue = value });
        return CommandAsync(node, command.ToByteArray());
    }

    public Task CommandAsync(string node, byte[] payload) =>
        _client.PublishAsync(
            new MqttApplicationMessage { Topic = $"spBv1.0/{_group}/NCMD/{node}", PayloadSegment = payload }
        );

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>What a host hears.</summary>
internal sealed record SparkplugMessage(string Topic, int Qos, bool Retain, Payload Payload)
{
    /// <summary>Gets what the message is: <c>NBIRTH</c> and so on.</summary>
    public string Kind => Topic.Split('/')[2];

    public Metric this[string name] => Payload.Metrics.Single(metric => metric.Name == name);
}
