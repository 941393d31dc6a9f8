using System.Buffers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace PaDiM.Service.Sinks;

/// <summary>A connection to a broker, with MQTT 5. Whatever goes wrong is a <see cref="DeliveryException"/>.</summary>
internal sealed class MqttConnection : IAsyncDisposable
{
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15),
        FarewellPatience = TimeSpan.FromSeconds(2);

    private readonly MqttClientOptions _options;
    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly X509Certificate2Collection _certificates = [];
    private bool _isDisposed;

    /// <summary>Prepares a client. It connects when it is told to.</summary>
    /// <exception cref="DeliveryException">A certificate cannot be used.</exception>
    public MqttConnection(
        string clientId,
        MqttRequest settings,
        SinkSecrets secrets,
        Action<MqttClientOptionsBuilder>? configure = null
    )
    {
        var builder = new MqttClientOptionsBuilder()
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithTcpServer(settings.Host, settings.GetPort())
            .WithClientId(clientId)
            .WithKeepAlivePeriod(KeepAlive)
            .WithCleanStart(true)
            // The attempt of the sink has a time-out of its own.
            .WithTimeout(TimeSpan.FromMinutes(1));
        if (settings.User is { } user)
            builder.WithCredentials(user, secrets.MqttPassword ?? "");
        if (settings.Tls)
            builder.WithTlsOptions(CreateTls(settings, secrets));
        configure?.Invoke(builder);
        _options = builder.Build();
    }

    public bool IsConnected => _client.IsConnected;

    /// <summary>Connects.</summary>
    /// <param name="will">What the broker publishes if this client is gone; null for nothing.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="DeliveryException">There is no connection.</exception>
    public async Task ConnectAsync(MqttApplicationMessage? will, CancellationToken cancellationToken)
    {
        if (will is not null)
        {
            _options.WillTopic = will.Topic;
            _options.WillPayload = will.Payload.ToArray();
            _options.WillContentType = will.ContentType;
            _options.WillQualityOfServiceLevel = will.QualityOfServiceLevel;
            _options.WillRetain = will.Retain;
        }
        var answer = await GuardAsync(() => _client.ConnectAsync(_options, cancellationToken));
        if (answer.ResultCode != MqttClientConnectResultCode.Success)
            throw new DeliveryException(
                $"The broker refuses the connection: {answer.ResultCode}{Explain(answer.ReasonString)}."
            );
    }

    /// <summary>Publishes a message. Returns what the broker said.</summary>
    /// <exception cref="DeliveryException">It was not published.</exception>
    public async Task<string> PublishAsync(MqttApplicationMessage message, CancellationToken cancellationToken)
    {
        var result = await GuardAsync(() => _client.PublishAsync(message, cancellationToken));
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

    /// <summary>Receives what is published to a topic, until the connection ends.</summary>
    /// <exception cref="DeliveryException">The broker refuses it.</exception>
    public async Task SubscribeAsync(string topic, CancellationToken cancellationToken)
    {
        var options = new MqttClientSubscribeOptionsBuilder()
            .WithTopicFilter(topic, MqttQualityOfServiceLevel.AtLeastOnce)
            .Build();
        var result = await GuardAsync(() => _client.SubscribeAsync(options, cancellationToken));
        if (result.Items.Single().ResultCode is var code and > MqttClientSubscribeResultCode.GrantedQoS2)
            throw new DeliveryException($"The broker refuses to subscribe to {topic}: {code}.");
    }

    /// <summary>Calls something with what is received. It must not wait for this connection.</summary>
    public void Receive(Action<MqttApplicationMessage> take) =>
        ReceiveCommands(arguments => take(arguments.ApplicationMessage));

    /// <summary>Calls something with what is received, and which it may confirm later. It must not wait.</summary>
    public void ReceiveCommands(Action<MqttApplicationMessageReceivedEventArgs> take) =>
        _client.ApplicationMessageReceivedAsync += arguments =>
        {
            take(arguments);
            return Task.CompletedTask;
        };

    /// <summary>Calls something when a connection ends that was there.</summary>
    public void NotifyOfEnd(Action end) =>
        _client.DisconnectedAsync += arguments =>
        {
            if (arguments.ClientWasConnected)
                end();
            return Task.CompletedTask;
        };

    /// <summary>Ends the connection.</summary>
    /// <param name="farewell">What to publish before; null for nothing.</param>
    /// <param name="withWill">Whether the broker publishes the will all the same.</param>
    public async Task CloseAsync(MqttApplicationMessage? farewell, bool withWill = false)
    {
        try
        {
            using var patience = new CancellationTokenSource(FarewellPatience);
            if (!_isDisposed && _client.IsConnected)
            {
                if (farewell is not null)
                    await _client.PublishAsync(farewell, patience.Token);
                var options = new MqttClientDisconnectOptions();
                if (withWill)
                    options.Reason = MqttClientDisconnectOptionsReason.DisconnectWithWillMessage;
                await _client.DisconnectAsync(options, patience.Token);
            }
        }
        catch (Exception e)
            when (e is MqttCommunicationException or OperationCanceledException or InvalidOperationException)
        {
            // The broker publishes the will.
        }
        await DisposeAsync();
    }

    public ValueTask DisposeAsync()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            _client.Dispose();
            foreach (var certificate in _certificates)
                certificate.Dispose();
        }
        return ValueTask.CompletedTask;
    }

    private static async Task<T> GuardAsync<T>(Func<Task<T>> act)
    {
        try
        {
            return await act();
        }
        catch (Exception e)
            when (e
                    is MqttCommunicationException
                        or MqttProtocolViolationException
                        or AuthenticationException
                        or IOException
                        // While the last connection is still being ended.
                        or InvalidOperationException
            )
        {
            throw new DeliveryException((e.InnerException ?? e).Message, inner: e);
        }
    }

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
