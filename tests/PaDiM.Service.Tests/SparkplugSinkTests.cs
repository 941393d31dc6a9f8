using System.Net.Http.Json;
using MQTTnet.Protocol;
using MQTTnet.Server;
using Org.Eclipse.Tahu.Protobuf;
using PaDiM.Service.Sinks;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>What a host of Sparkplug B hears, with a broker in this process.</summary>
public sealed class SparkplugSinkTests : IAsyncLifetime
{
    private const string Node = "mes:line-a";
    private readonly int _port = FreePort.Find();
    private readonly SparkplugSessions _sessions = new();
    private MqttServer _broker = null!;
    private SparkplugHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = new MqttServerFactory().CreateMqttServer(
            new MqttServerOptionsBuilder()
                .WithDefaultEndpoint()
                .WithDefaultEndpointBoundIPAddress(System.Net.IPAddress.Loopback)
                .WithDefaultEndpointPort(_port)
                .Build()
        );
        await _broker.StartAsync();
        _host = await SparkplugHost.StartAsync(_port, "plant 1");
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _broker.StopAsync();
        _broker.Dispose();
    }

    [Fact]
    public async Task An_edge_node_is_born_with_its_devices_and_dies_with_its_connection()
    {
        var inspection = MqttSinkTests.Make(station: "camera 1") with { Lot = null, Warnings = ["blurred", "dark"] };
        await using (var target = Create())
        {
            await target.SendAsync(new SinkMessage(inspection), default);
            await target.SendAsync(new SinkMessage(inspection with { Id = "2" }), default);
        }
        var heard = await _host.HearAsync(5);
        Assert.Equal(
            [
                $"spBv1.0/plant 1/NBIRTH/{Node}",
                $"spBv1.0/plant 1/DBIRTH/{Node}/part",
                $"spBv1.0/plant 1/DDATA/{Node}/part",
                $"spBv1.0/plant 1/DDATA/{Node}/part",
                $"spBv1.0/plant 1/NDEATH/{Node}",
            ],
            heard.Select(message => message.Topic)
        );
        Assert.Equal([0, 0, 0, 0, 1], heard.Select(message => message.Qos));
        Assert.DoesNotContain(heard, message => message.Retain);
        Assert.All(heard, message => Assert.True(message.Payload.HasTimestamp));
        Assert.Equal([0, 1, 2, 3], heard[..4].Select(message => (int)message.Payload.Seq));
        var death = heard[4];
        Assert.False(death.Payload.HasSeq);
        Assert.Equal(("bdSeq", 0), (Assert.Single(death.Payload.Metrics).Name, Session(death)));

        var birth = heard[0];
        Assert.Equal(0, Session(birth));
        Assert.Equal((uint)DataType.Int64, birth["bdSeq"].Datatype);
        var rebirth = birth["Node Control/Rebirth"];
        Assert.Equal(
            ((uint)DataType.Boolean, true, false),
            (rebirth.Datatype, rebirth.HasBooleanValue, rebirth.BooleanValue)
        );

        var (born, data) = (heard[1].Payload.Metrics, heard[2].Payload.Metrics);
        Assert.All(born, metric => Assert.True(metric.HasDatatype && metric.HasTimestamp && metric.IsNull));
        Assert.Equal(born.Select(metric => metric.Name), data.Select(metric => metric.Name));
        var at = (ulong)new DateTimeOffset(inspection.At).ToUnixTimeMilliseconds();
        Assert.All(data, metric => Assert.Equal((at, false), (metric.Timestamp, metric.HasDatatype)));
        Assert.All(data, metric => Assert.False(metric.IsHistorical));
        var first = heard[2];
        Assert.Equal(
            ("1", "SN-1", "camera 1", "anomalous", "part", "blurred dark", inspection.Image.Sha256),
            (
                first["id"].StringValue,
                first["part"].StringValue,
                first["station"].StringValue,
                first["decision"].StringValue,
                first["decidedBy"].StringValue,
                first["warnings"].StringValue,
                first["sha256"].StringValue
            )
        );
        Assert.Equal(
            (31.5, 20.0, 0.01, 10.0),
            (
                first["score"].DoubleValue,
                first["threshold"].DoubleValue,
                first["pValue"].DoubleValue,
                first["totalMs"].DoubleValue
            )
        );
        Assert.Equal(
            (1u, 0u, 0u),
            (first["modelVersion"].IntValue, first["thresholdVersion"].IntValue, first["regions"].IntValue)
        );
        Assert.True(first["lot"].IsNull);
        Assert.True(first["fallback"] is { HasBooleanValue: true, BooleanValue: false });
        Assert.Equal("2", heard[3]["id"].StringValue);
    }

    [Fact]
    public async Task The_numbers_of_messages_begin_again_after_255()
    {
        await using var target = Create();
        for (var i = 0; i < 260; i++)
            await target.SendAsync(new SinkMessage(MqttSinkTests.Make()), default);
        var heard = await _host.HearAsync(262);
        Assert.Equal(Enumerable.Range(0, 262).Select(i => i % 256), heard.Select(message => (int)message.Payload.Seq));
        Assert.Single(heard, message => message.Kind == "NBIRTH");
    }

    [Fact]
    public async Task A_connection_that_is_lost_ends_a_session_and_the_next_one_has_the_next_number()
    {
        await using var target = Create();
        await target.SendAsync(new SinkMessage(MqttSinkTests.Make()), default);
        await _host.HearAsync(3);
        await _broker.DisconnectClientAsync(
            "padim-mes-line-a",
            new MqttServerClientDisconnectOptions { ReasonCode = MqttDisconnectReasonCode.AdministrativeAction }
        );
        var death = (await _host.HearAsync(4))[3];
        Assert.Equal(("NDEATH", 0, 1, false), (death.Kind, Session(death), death.Qos, death.Retain));
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    await target.SendAsync(new SinkMessage(MqttSinkTests.Make() with { Id = "2" }), default);
                    return true;
                }
                catch (DeliveryException)
                {
                    return false;
                }
            },
            () => "It does not connect again."
        );
        var heard = (await _host.HearAsync(7))[4..];
        Assert.Equal(["NBIRTH", "DBIRTH", "DDATA"], heard.Select(message => message.Kind));
        Assert.Equal([0, 1, 2], heard.Select(message => (int)message.Payload.Seq));
        Assert.Equal(1, Session(heard[0]));
        // The state of the device is what was last said.
        Assert.Equal(("1", "2"), (heard[1]["id"].StringValue, heard[2]["id"].StringValue));
    }

    [Fact]
    public async Task A_host_that_asks_gets_all_birth_certificates_again()
    {
        await using var target = Create();
        await target.SendAsync(new SinkMessage(MqttSinkTests.Make()), default);
        await target.SendAsync(new SinkMessage(MqttSinkTests.Make() with { Category = "other" }), default);
        await _host.HearAsync(5);
        await _host.CommandAsync(Node, [1, 2, 3]);
        await _host.CommandAsync(Node, "Node Control/Reboot", true);
        await _host.CommandAsync(Node, "Node Control/Rebirth", false);
        await _host.CommandAsync(Node, "Node Control/Rebirth", true);
        var heard = (await _host.HearAsync(8))[5..];
        Assert.Equal(["NBIRTH", "DBIRTH", "DBIRTH"], heard.Select(message => message.Kind));
        Assert.Equal([0, 1, 2], heard.Select(message => (int)message.Payload.Seq));
        Assert.Equal(0, Session(heard[0]));
        Assert.Equal(["part", "other"], heard[1..].Select(message => message.Topic.Split('/')[4]));
        Assert.All(heard[1..], birth => Assert.Equal((31.5, false), (birth["score"].DoubleValue, birth["lot"].IsNull)));
        await target.SendAsync(new SinkMessage(MqttSinkTests.Make()), default);
        Assert.Equal(
            ("DDATA", 3),
            ((await _host.HearAsync(9))[8] is var next ? (next.Kind, (int)next.Payload.Seq) : default)
        );
    }

    [Fact]
    public async Task What_is_late_is_history_and_a_test_is_no_device()
    {
        await using var target = Create();
        await target.SendAsync(new SinkMessage(MqttSinkTests.Make() with { Id = "new" }), default);
        await target.SendAsync(new SinkMessage(MqttSinkTests.Make() with { Id = "late" }) { IsLate = true }, default);
        await target.SendAsync(
            new SinkMessage(MqttSinkTests.Make() with { Id = "test-1", Category = "test" }) { IsTest = true },
            default
        );
        var heard = await _host.HearAsync(5);
        Assert.Equal(["NBIRTH", "DBIRTH", "DDATA", "DDATA", "NDATA"], heard.Select(message => message.Kind));
        Assert.All(heard[3].Payload.Metrics, metric => Assert.True(metric.IsHistorical));
        Assert.Equal("test-1", heard[4]["test"].StringValue);
        Assert.True(heard[0]["test"].IsNull);
        await _host.CommandAsync(Node, "Node Control/Rebirth", true);
        Assert.Equal("new", (await _host.HearAsync(7))[6]["id"].StringValue);
    }

    [Fact]
    public async Task Changed_settings_continue_the_numbers_of_sessions()
    {
        await using (var before = Create())
            await before.SendAsync(new SinkMessage(MqttSinkTests.Make()), default);
        await using var after = Create();
        await after.SendAsync(new SinkMessage(MqttSinkTests.Make()), default);
        var births = (await _host.HearAsync(7)).Where(message => message.Kind == "NBIRTH");
        Assert.Equal([0, 1], births.Select(Session));
        Assert.Equal([.. Enumerable.Range(2, 254), 0], Enumerable.Range(0, 255).Select(_ => _sessions.Next()));
    }

    [Fact]
    public async Task Mosquitto_takes_an_edge_node_too()
    {
        await using var mosquitto = await Mosquitto.StartAsync();
        await using var host = await SparkplugHost.StartAsync(mosquitto.Port, "plant 1");
        await using (var target = Create(mosquitto.Port))
        {
            await target.SendAsync(new SinkMessage(MqttSinkTests.Make()), default);
            await host.HearAsync(3);
            await host.CommandAsync(Node, "Node Control/Rebirth", true);
            await host.HearAsync(5);
        }
        // The farewell, and the will: MQTT 5 ends a connection with it.
        var heard = await host.HearAsync(7);
        Assert.Equal(
            ["NBIRTH", "DBIRTH", "DDATA", "NBIRTH", "DBIRTH", "NDEATH", "NDEATH"],
            heard.Select(message => message.Kind)
        );
        Assert.Equal([0, 0], heard[5..].Select(Session));
    }

    [Fact]
    public async Task A_group_is_a_setting_and_topics_are_not()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(
            data.Path,
            ("SinkFlushSeconds", 0),
            ("ReplicaName", "line-a")
        );
        var made = await (
            await PutAsync(
                new
                {
                    host = "127.0.0.1",
                    port = _port,
                    sparkplug = new { group = "plant 1" },
                }
            )
        ).JsonAsync(201);
        var sparkplug = made["mqtt"]!["sparkplug"]!;
        Assert.Equal(("plant 1", Node), (sparkplug.Text("group"), sparkplug.Text("node")));
        var tested = await (await service.Http.PostAsync("/v1/sinks/mes/test", null)).JsonAsync(200);
        Assert.True(tested["delivered"]!.GetValue<bool>(), tested.ToJsonString());
        Assert.Equal(["NBIRTH", "NDATA"], (await _host.HearAsync(2)).Select(message => message.Kind));
        foreach (var group in new[] { null, "", "a+b", "a#", "a/b", "a\tb", "STATE", new string('a', 129) })
            await (await PutAsync(new { host = "broker", sparkplug = new { group } })).ProblemAsync(
                422,
                "invalid_settings"
            );
        foreach (
            var wrong in new object[]
            {
                new
                {
                    host = "broker",
                    topic = "a",
                    sparkplug = new { group = "a" },
                },
                new
                {
                    host = "broker",
                    qos = 2,
                    sparkplug = new { group = "a" },
                },
                new
                {
                    host = "broker",
                    retain = true,
                    sparkplug = new { group = "a" },
                },
                new
                {
                    host = "broker",
                    statusTopic = "",
                    sparkplug = new { group = "a" },
                },
            }
        )
            await (await PutAsync(wrong)).ProblemAsync(422, "invalid_settings");

        Task<HttpResponseMessage> PutAsync(object mqtt) => service.Http.PutAsJsonAsync("/v1/sinks/mes", new { mqtt });
    }

    private static int Session(SparkplugMessage message) => (int)message["bdSeq"].LongValue;

    private SparkplugTarget Create(int? port = null)
    {
        var settings = new MqttRequest
        {
            Host = "127.0.0.1",
            Port = port ?? _port,
            Sparkplug = new SparkplugRequest { Group = "plant 1" },
        };
        return new SparkplugTarget(
            new SinkDefinition("mes", new SinkRequest { Mqtt = settings }, new SinkSecrets(), "1"),
            settings,
            new SinkSecrets(),
            "line-a",
            _sessions,
            TimeProvider.System
        );
    }
}
