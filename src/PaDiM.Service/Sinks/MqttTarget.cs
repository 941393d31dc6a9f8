using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace PaDiM.Service.Sinks;

/// <summary>Publishes inspections to a broker, with MQTT 5, over one connection that is kept.</summary>
internal sealed class MqttTarget : SinkTarget
{
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15),
        FarewellPatience = TimeSpan.FromSeconds(2);

    private readonly MqttRequest _settings;
    private readonly MqttClientOptions _options;
    private readonly string? _statusTopic;
    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly SemaphoreSlim _connecting = new(1, 1);
    private readonly TimeProvider _time;
    private readonly X509Certificate2Collection _certificates = [];
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
        var builder = new MqttClientOptionsBuilder()
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithTcpServer(settings.Host, settings.GetPort())
            .WithClientId($"padim-{sink}-{replica}")
            .WithKeepAlivePeriod(KeepAlive)
            .WithCleanStart(true)
            // The attempt of the sink has a time-out of its own.
            .WithTimeout(TimeSpan.FromMinutes(1));
        if (settings.User is { } user)
            builder.WithCredentials(user, secrets.MqttPassword ?? "");
        if (_statusTopic is not null)
            builder
                .WithWillTopic(_statusTopic)
                .WithWillPayload(WriteStatus(isOnline: false))
                .WithWillContentType("application/json")
                .WithWillQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
                .WithWillRetain();
        if (settings.Tls)
            builder.WithTlsOptions(CreateTls(settings, secrets));
        _options = builder.Build();
    }

    public override async Task<string> SendAsync(SinkMessage message, CancellationToken cancellationToken)
    {
        try
        {
            await ConnectAsync(cancellationToken);
            var result = await _client.PublishAsync(
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
            return result.IsSuccess
                ? result.ReasonCode.ToString()
                : throw new DeliveryException(
                    $"The broker says {result.ReasonCode}{Explain(result.ReasonString)}.",
                    isRefused: result.ReasonCode
                        is MqttClientPublishReasonCode.NotAuthorized
                            or MqttClientPublishReasonCode.TopicNameInvalid
                            or MqttClientPublishReasonCode.PayloadFormatInvalid
                );
        }
        catch (Exception e)
            when (e
                    is MqttCommunicationException
                        or MqttProtocolViolationException
                        or AuthenticationException
                        or IOException
            )
        {
            throw new DeliveryException((e.InnerException ?? e).Message, inner: e);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            await CloseAsync();
        }
        await base.DisposeAsync();
    }

    private async Task CloseAsync()
    {
        try
        {
            using var patience = new CancellationTokenSource(FarewellPatience);
            if (_client.IsConnected)
            {
                await PublishStatusAsync(isOnline: false, patience.Token);
                await _client.DisconnectAsync(new MqttClientDisconnectOptions(), patience.Token);
            }
        }
        catch (Exception e)
            when (e is MqttCommunicationException or OperationCanceledException or InvalidOperationException)
        {
            // The broker publishes the will.
        }
        _client.Dispose();
        foreach (var certificate in _certificates)
            certificate.Dispose();
        _connecting.Dispose();
    }

    private async Task ConnectAsync(CancellationToken cancellationToken)
    {
        if (_client.IsConnected)
            return;
        await _connecting.WaitAsync(cancellationToken);
        try
        {
            if (_client.IsConnected)
                return;
            var answer = await _client.ConnectAsync(_options, cancellationToken);
            if (answer.ResultCode != MqttClientConnectResultCode.Success)
                throw new DeliveryException(
                    $"The broker refuses the connection: {answer.ResultCode}{Explain(answer.ReasonString)}."
                );
            await PublishStatusAsync(isOnline: true, cancellationToken);
        }
        finally
        {
            _connecting.Release();
        }
    }

    private async Task PublishStatusAsync(bool isOnline, CancellationToken cancellationToken)
    {
        if (_statusTopic is not null)
            await _client.PublishAsync(
                new MqttApplicationMessage
                {
                    Topic = _statusTopic,
                    PayloadSegment = new ArraySegment<byte>(WriteStatus(isOnline)),
                    ContentType = "application/json",
                    QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
                    Retain = true,
                },
                cancellationToken
            );
    }

    private byte[] WriteStatus(bool isOnline) =>
        JsonSerializer.SerializeToUtf8Bytes(
            new { online = isOnline, since = _time.GetUtcNow().UtcDateTime },
            SinkJson.Options
        );

    private MqttClientTlsOptions CreateTls(MqttRequest settings, SinkSecrets secrets)
    {
        var tls = new MqttClientTlsOptionsBuilder()
            .UseTls()
            .WithTargetHost(settings.Host)
            .WithSslProtocols(SslProtocols.None)
            // What a certificate names is not asked: docs/connections.md.
            .WithRevocationMode(X509RevocationMode.NoCheck);
        if (settings.CaCertificates is { } trusted)
        {
            var roots = new X509Certificate2Collection();
            roots.ImportFromPem(trusted);
            _certificates.AddRange(roots);
            tls.WithTrustChain(roots)
                .WithCertificateValidationHandler(check => IsTrusted(check.Certificate, check.SslPolicyErrors, roots));
        }
        if (settings.ClientCertificate is { } own)
        {
            using var pair = X509Certificate2.CreateFromPem(own, secrets.MqttKey);
            // Windows and macOS want a key that has been stored.
            var usable = X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pkcs12), null);
            _certificates.Add(usable);
            tls.WithClientCertificates(new X509Certificate2Collection(usable));
        }
        return tls.Build();
    }

    /// <summary>Trusts the given roots and no others; the name must fit.</summary>
    private static bool IsTrusted(X509Certificate certificate, SslPolicyErrors errors, X509Certificate2Collection roots)
    {
        if ((errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None)
            return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        using var checkedOne = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(checkedOne);
    }

    private static string Explain(string? reason) => string.IsNullOrEmpty(reason) ? "" : $" ({reason})";
}
