using System.Buffers;
using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using MQTTnet;
using MQTTnet.Protocol;
using MQTTnet.Server;
using PaDiM.Service.Data;
using PaDiM.Service.Scoring;
using PaDiM.Service.Sinks;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>What a broker sees, with one in this process.</summary>
public sealed class MqttSinkTests : IAsyncLifetime
{
    private const string Url = "/v1/sinks/broker";
    private readonly ConcurrentQueue<(MqttApplicationMessage Message, string Client)> _published = new();
    private readonly ConcurrentQueue<(string Id, string? User, string? Password)> _connected = new();
    private readonly int _port = FreePort.Find();
    private MqttServer _broker = null!;

    public async ValueTask InitializeAsync() => await StartAsync(builder => builder.WithDefaultEndpointPort(_port));

    public async ValueTask DisposeAsync()
    {
        await _broker.StopAsync();
        _broker.Dispose();
    }

    [Fact]
    public async Task An_inspection_is_published_with_its_state_and_the_state_of_the_connection()
    {
        await using (
            var target = Create(
                new MqttRequest
                {
                    Host = "127.0.0.1",
                    Port = _port,
                    User = "line",
                    Retain = true,
                    Qos = 2,
                },
                new SinkSecrets { MqttPassword = "word" }
            )
        )
        {
            await target.SendAsync(new SinkMessage(Make(station: "camera 1")), default);
            await target.SendAsync(new SinkMessage(Make(station: null, decision: Decision.Normal)), default);
            await target.SendAsync(new SinkMessage(Make(station: "late")) { IsLate = true }, default);
            await target.SendAsync(new SinkMessage(Make(station: "test")) { IsTest = true }, default);
            Assert.Equal(("padim-broker-line-a", "line", "word"), Assert.Single(_connected));
            Assert.Equal(
                [
                    ("padim/line-a/status", true),
                    ("padim/part/camera 1/result", true),
                    ("padim/part/-/result", true),
                    ("padim/part/late/result", false),
                    ("padim/part/test/result", false),
                ],
                _published.Select(sent => (sent.Message.Topic, sent.Message.Retain))
            );
            Assert.True(Read(0)["online"]!.GetValue<bool>());
            Assert.Equal(("1", "anomalous"), (Read(1).Text("id"), Read(1).Text("decision")));
            Assert.Equal(MqttQualityOfServiceLevel.ExactlyOnce, _published.ElementAt(1).Message.QualityOfServiceLevel);
            Assert.Equal("application/json", _published.ElementAt(1).Message.ContentType);
        }
        await Eventually.TrueAsync(() => Task.FromResult(_published.Count == 6), () => "No farewell.");
        Assert.False(Read(5)["online"]!.GetValue<bool>());
        var retained = await _broker.GetRetainedMessagesAsync();
        Assert.Equal(3, retained.Count);
    }

    [Fact]
    public async Task The_broker_hears_of_a_replica_that_is_gone()
    {
        var target = Create(new MqttRequest { Host = "127.0.0.1", Port = _port });
        await target.SendAsync(new SinkMessage(Make()), default);
        await _broker.DisconnectClientAsync(
            "padim-broker-line-a",
            new MqttServerClientDisconnectOptions { ReasonCode = MqttDisconnectReasonCode.AdministrativeAction }
        );
        await Eventually.TrueAsync(
            async () =>
                (await _broker.GetRetainedMessagesAsync()).SingleOrDefault(sent => sent.Topic == "padim/line-a/status")
                    is { } status
                && !JsonNode.Parse(status.Payload.ToArray())!["online"]!.GetValue<bool>(),
            () => "No will."
        );
        // The next message connects again.
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    await target.SendAsync(new SinkMessage(Make(station: "again")), default);
                    return true;
                }
                catch (DeliveryException)
                {
                    return false;
                }
            },
            () => "It does not connect again."
        );
        Assert.Equal(2, _connected.Count);
        await target.DisposeAsync();
    }

    [Fact]
    public async Task A_broker_that_refuses_is_said_so()
    {
        _broker.ValidatingConnectionAsync += arguments =>
        {
            arguments.ReasonCode = MqttConnectReasonCode.BadUserNameOrPassword;
            return Task.CompletedTask;
        };
        await using var target = Create(new MqttRequest { Host = "127.0.0.1", Port = _port });
        var failure = await Assert.ThrowsAsync<DeliveryException>(() =>
            target.SendAsync(new SinkMessage(Make()), default)
        );
        Assert.Contains("BadUserNameOrPassword", failure.Message, StringComparison.Ordinal);
        Assert.False(failure.IsRefused);
        await using var nowhere = Create(new MqttRequest { Host = "127.0.0.1", Port = FreePort.Find() });
        await Assert.ThrowsAsync<DeliveryException>(() => nowhere.SendAsync(new SinkMessage(Make()), default));
    }

    [Fact]
    public async Task Certificates_are_checked_on_both_sides()
    {
        using var authority = CreateCertificate("CN=plant", null);
        using var stranger = CreateCertificate("CN=other", null);
        using var server = CreateCertificate("CN=localhost", authority);
        using var client = CreateCertificate("CN=line", authority);
        var port = FreePort.Find();
        await _broker.StopAsync();
        var seen = new ConcurrentQueue<string?>();
        await StartAsync(builder =>
            builder
                .WithoutDefaultEndpoint()
                .WithEncryptedEndpoint()
                .WithEncryptedEndpointPort(port)
                .WithEncryptionCertificate(
                    X509CertificateLoader.LoadPkcs12(server.Export(X509ContentType.Pkcs12), null)
                )
                .WithClientCertificate(
                    (_, certificate, _, _) =>
                    {
                        seen.Enqueue(certificate?.Subject);
                        return certificate is not null;
                    },
                    false
                )
        );
        var settings = new MqttRequest
        {
            Host = "localhost",
            Port = port,
            Tls = true,
            CaCertificates = authority.ExportCertificatePem(),
            ClientCertificate = client.ExportCertificatePem(),
        };
        var secrets = new SinkSecrets { MqttKey = client.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() };
        await using (var target = Create(settings, secrets))
            await target.SendAsync(new SinkMessage(Make()), default);
        Assert.Equal("CN=line", seen.Last());
        foreach (
            var wrong in new[]
            {
                settings with
                {
                    CaCertificates = stranger.ExportCertificatePem(),
                },
                settings with
                {
                    CaCertificates = null,
                },
                settings with
                {
                    Host = "127.0.0.1",
                },
            }
        )
        {
            await using var target = Create(wrong, secrets);
            await Assert.ThrowsAsync<DeliveryException>(() => target.SendAsync(new SinkMessage(Make()), default));
        }
    }

    [Theory]
    [InlineData("a/+/b", "a%2F%2B%2Fb")]
    [InlineData("#", "%23")]
    [InlineData("$SYS", "%24SYS")]
    [InlineData("100%", "100%25")]
    [InlineData("line 2", "line 2")]
    [InlineData("a\0b\n", "a%00b%0A")]
    [InlineData("", "-")]
    [InlineData(null, "-")]
    public void Names_stay_within_their_level(string? name, string level) =>
        Assert.Equal($"x/{level}/y", TopicTemplate.Fill("x/{station}/y", Make(station: name)));

    [Theory]
    [InlineData("padim/#")]
    [InlineData("padim/+/x")]
    [InlineData("/padim")]
    [InlineData("padim/")]
    [InlineData("padim//x")]
    [InlineData("$SYS/x")]
    [InlineData("padim/{stattion}")]
    [InlineData("padim/{station")]
    [InlineData("padim/station}")]
    [InlineData("")]
    [InlineData(null)]
    public void Templates_are_checked(string? template) => Assert.NotNull(TopicTemplate.FindFault(template));

    [Fact]
    public void Every_placeholder_is_filled() =>
        Assert.Equal(
            "part/SN-1/station/L/anomalous/line-a",
            TopicTemplate.Fill("{category}/{part}/{station}/{lot}/{decision}/{replica}", Make(station: "station"))
        );

    [Fact]
    public async Task A_broker_is_managed_like_any_sink()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("SinkFlushSeconds", 0));
        var made = await PutAsync(
            new
            {
                host = "127.0.0.1",
                port = _port,
                user = "line",
                password = "word",
            },
            201
        );
        Assert.True(made["mqtt"]!["hasPassword"]!.GetValue<bool>());
        Assert.DoesNotContain("\"word\"", made.ToJsonString(), StringComparison.Ordinal);
        var tested = await (await service.Http.PostAsync($"{Url}/test", null)).JsonAsync(200);
        Assert.True(tested["delivered"]!.GetValue<bool>(), tested.ToJsonString());
        Assert.Equal("word", _connected.Last().Password);

        // The password stays with its broker, and goes to no other.
        await PutAsync(
            new
            {
                host = "127.0.0.1",
                port = _port,
                user = "line",
                qos = 0,
            },
            200
        );
        await service.Http.PostAsync($"{Url}/test", null);
        Assert.Equal("word", _connected.Last().Password);
        var moved = await PutAsync(
            new
            {
                host = "localhost",
                port = _port,
                user = "line",
            },
            200
        );
        Assert.False(moved["mqtt"]!["hasPassword"]!.GetValue<bool>());
        foreach (
            var wrong in new object[]
            {
                new { },
                new { host = "mqtt://broker" },
                new { host = "broker", port = 0 },
                new { host = "broker", qos = 3 },
                new { host = "broker", topic = "a/#" },
                new { host = "broker", statusTopic = "a/{station}" },
                new { host = "broker", password = "word" },
                new
                {
                    host = "broker",
                    caCertificates = "x",
                    tls = true,
                },
                new { host = "broker", caCertificates = "x" },
                new
                {
                    host = "broker",
                    tls = true,
                    clientKey = "x",
                },
            }
        )
            await (await SendAsync(wrong)).ProblemAsync(422, "invalid_settings");
        await (
            await service.Http.PutAsJsonAsync(
                Url,
                new { mqtt = new { host = "broker" }, webhook = new { url = "https://mes.example/" } }
            )
        ).ProblemAsync(422, "invalid_settings");

        async Task<JsonNode> PutAsync(object mqtt, int status) => await (await SendAsync(mqtt)).JsonAsync(status);

        Task<HttpResponseMessage> SendAsync(object mqtt) => service.Http.PutAsJsonAsync(Url, new { mqtt });
    }

    private static MqttTarget Create(MqttRequest settings, SinkSecrets? secrets = null) =>
        new("broker", settings, secrets ?? new SinkSecrets(), "line-a", TimeProvider.System);

    internal static Inspection Make(string? station = "camera 1", Decision decision = Decision.Anomalous) =>
        new(
            "1",
            "part",
            "SN-1",
            station,
            "L",
            new DateTime(2026, 11, 30, 12, 0, 0, DateTimeKind.Utc),
            decision,
            31.5,
            20,
            0.01,
            "part",
            1,
            0,
            false,
            [],
            [],
            new ScoredImage(64, 64, new string('a', 64)),
            new Timings(0, 1, 2, 3, 4, 10),
            "line-a"
        );

    private static X509Certificate2 CreateCertificate(string subject, X509Certificate2? authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority is null, false, 0, true));
        if (subject == "CN=localhost")
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName("localhost");
            request.CertificateExtensions.Add(names.Build());
        }
        if (authority is null)
            return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
        // No certificate may be valid for longer than that of its authority.
        using var signed = request.Create(
            authority,
            authority.NotBefore,
            authority.NotAfter,
            RandomNumberGenerator.GetBytes(8)
        );
        return signed.CopyWithPrivateKey(key);
    }

    private JsonNode Read(int index) => JsonNode.Parse(_published.ElementAt(index).Message.Payload.ToArray())!;

    private async Task StartAsync(Action<MqttServerOptionsBuilder> configure)
    {
        var builder = new MqttServerOptionsBuilder()
            .WithDefaultEndpoint()
            .WithDefaultEndpointBoundIPAddress(System.Net.IPAddress.Loopback);
        configure(builder);
        _broker = new MqttServerFactory().CreateMqttServer(builder.Build());
        _broker.InterceptingPublishAsync += arguments =>
        {
            // Its bytes belong to the connection.
            arguments.ApplicationMessage.PayloadSegment = arguments.ApplicationMessage.Payload.ToArray();
            _published.Enqueue((arguments.ApplicationMessage, arguments.ClientId));
            return Task.CompletedTask;
        };
        _broker.ValidatingConnectionAsync += arguments =>
        {
            _connected.Enqueue((arguments.ClientId, arguments.UserName, arguments.Password));
            return Task.CompletedTask;
        };
        await _broker.StartAsync();
    }
}
