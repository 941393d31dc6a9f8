using System.Text.Json;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace PaDiM.Cli.Watch;

/// <summary>Publishes a JSON object per file: <c>mqtt://user:password@broker:1883/topic</c>, or <c>mqtts://</c> with TLS.</summary>
internal sealed class MqttSink : WatchSink
{
    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly MqttClientOptions _options;
    private readonly string _topic;

    private MqttSink(MqttClientOptions options, string topic) => (_options, _topic) = (options, topic);

    public static MqttSink? TryParse(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("mqtt" or "mqtts"))
            return null;
        var topic = Uri.UnescapeDataString(address.AbsolutePath.TrimStart('/'));
        if (topic.Length == 0 || topic.AsSpan().IndexOfAny('+', '#') >= 0)
            return null;
        var tls = address.Scheme == "mqtts";
        var builder = new MqttClientOptionsBuilder()
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithTcpServer(
                address.Host,
                address.Port > 0 ? address.Port
                    : tls ? 8883
                    : 1883
            )
            .WithTlsOptions(options => options.UseTls(tls));
        if (address.UserInfo.Split(':', 2) is [{ Length: > 0 } user, .. var password])
            builder.WithCredentials(
                Uri.UnescapeDataString(user),
                password is [{ } given] ? Uri.UnescapeDataString(given) : ""
            );
        return new MqttSink(builder.Build(), topic);
    }

    public override async Task WriteAsync(WatchLine line, FileInfo file, CancellationToken cancellationToken)
    {
        try
        {
            if (!_client.IsConnected)
                await _client.ConnectAsync(_options, cancellationToken);
            var result = await _client.PublishAsync(
                new MqttApplicationMessage
                {
                    Topic = _topic,
                    PayloadSegment = JsonSerializer.SerializeToUtf8Bytes(line, WatchJson.Default.WatchLine),
                    ContentType = "application/json",
                    QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
                },
                cancellationToken
            );
            if (!result.IsSuccess)
                throw new IOException($"The broker says {result.ReasonCode}.");
        }
        catch (Exception e) when (e is MqttCommunicationException or InvalidOperationException)
        {
            throw new IOException((e.InnerException ?? e).Message, e);
        }
    }

    public override ValueTask DisposeAsync()
    {
        _client.Dispose();
        return base.DisposeAsync();
    }
}
