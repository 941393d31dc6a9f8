using System.Text;
using System.Text.Json.Nodes;
using MQTTnet.Server;
using PaDiM.Service.MqttCommands;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Scores that are asked for over MQTT, with a broker in this process.</summary>
public sealed class MqttCommandTests : IAsyncLifetime
{
    private const string Topic = "padim/flange/score";

    private readonly TempDirectory _data = new(),
        _images = new();
    private readonly int _port = FreePort.Find();
    private MqttServer _broker = null!;
    private RunningService _service = null!;
    private CategoryClient _category = null!;
    private CommandSender _line = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await CommandSender.StartBrokerAsync(_port);
        _service = await RunningService.StartAsync(
            _data.Path,
            ("Mqtt:Host", "127.0.0.1"),
            ("Mqtt:Port", _port),
            // MQTTnet's broker cannot share.
            ("Mqtt:Share", ""),
            ("Mqtt:MaxCommands", 4),
            ("Mqtt:ImageDirectory", _images.Path),
            ("MaxImageBytes", 1 << 20)
        );
        _category = _service.Category("flange");
        await _category.CreateFittedAsync(6);
        _line = await CommandSender.ConnectAsync(_port, "padim/+/result");
        await WaitUntilListeningAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _line.DisposeAsync();
        await _service.DisposeAsync();
        await _broker.StopAsync();
        _broker.Dispose();
        _data.Dispose();
        _images.Dispose();
    }

    [Fact]
    public async Task An_image_is_scored_as_over_http_and_is_in_the_ledger()
    {
        var expected = await _category.ScoreAsync(Parts.Bad(1));
        var answer = await _line.AskAsync(
            Topic,
            Parts.Bad(1),
            message =>
                message
                    .WithUserProperty("partId", "SN-1"u8.ToArray())
                    .WithUserProperty("stationId", "camera 1"u8.ToArray())
                    .WithUserProperty("lotId", "L"u8.ToArray())
                    .WithUserProperty("inspectionId", "i-1"u8.ToArray())
        );
        Assert.Equal("application/json", answer.ContentType);
        var scored = CommandSender.Read(answer);
        Assert.Equal(expected["score"]!.GetValue<double>(), scored["score"]!.GetValue<double>());
        Assert.Equal("anomalous", scored["decision"]!.GetValue<string>());
        Assert.Equal("i-1", scored["inspectionId"]!.GetValue<string>());
        JsonNode? row = null;
        await Eventually.TrueAsync(
            async () =>
            {
                var found = await _service.Http.GetAsync("/v1/inspections/i-1");
                row = found.IsSuccessStatusCode ? await found.JsonAsync(200) : null;
                return row is not null;
            },
            () => "No inspection."
        );
        Assert.Equal(("SN-1", "camera 1", "L"), (row!.Text("part"), row!.Text("station"), row!.Text("lot")));
    }

    [Fact]
    public async Task An_answer_without_a_topic_of_its_own_goes_to_the_result_topic()
    {
        await _line.SendAsync(Topic, Parts.Good(1));
        var answer = await _line.WaitAsync(message => message.Topic == "padim/flange/result");
        Assert.Null(answer.CorrelationData);
        Assert.Equal("flange", CommandSender.Read(answer)["category"]!.GetValue<string>());

        // An answer to a topic of commands would be the next command.
        await _line.SendAsync(Topic, Parts.Good(1), message => message.WithResponseTopic("padim/other/score"));
        await Eventually.TrueAsync(() => Task.FromResult(_line.Received == 2), () => "No second answer.");
    }

    [Fact]
    public async Task Raw_pixels_and_named_images_are_scored()
    {
        var pixels = new byte[64 * 64 * 3];
        var raw = await _line.AskAsync(
            Topic,
            pixels,
            message =>
                message
                    .WithContentType("application/octet-stream")
                    .WithUserProperty("width", "64"u8.ToArray())
                    .WithUserProperty("height", "64"u8.ToArray())
                    .WithUserProperty("format", "rgb24"u8.ToArray())
        );
        Assert.Equal(64, CommandSender.Read(raw)["image"]!["width"]!.GetValue<int>());

        Directory.CreateDirectory(_images.Combine("line 2"));
        await File.WriteAllBytesAsync(_images.Combine("line 2", "Träger.png"), Parts.Bad(1), default);
        var named = CommandSender.Read(await AskByNameAsync("""{"path":"line 2/Träger.png","partId":"SN-2"}"""));
        Assert.Equal("anomalous", named["decision"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("""{"path":"../secret.png"}""", "invalid_request")]
    [InlineData("""{"path":"a/../../secret.png"}""", "invalid_request")]
    [InlineData("""{"path":"/etc/passwd"}""", "invalid_request")]
    [InlineData("""{"path":"C:\\x.png"}""", "invalid_request")]
    [InlineData("""{"path":"http://host/x.png"}""", "invalid_request")]
    [InlineData("""{"path":"link/x.png"}""", "invalid_request")]
    [InlineData("""{"path":"nothing.png"}""", "invalid_request")]
    [InlineData("""{"path":""}""", "invalid_request")]
    [InlineData("""{"path":"a.png","url":"x"}""", "invalid_request")]
    [InlineData("""{"partId":"x"}""", "invalid_request")]
    [InlineData("null", "invalid_request")]
    [InlineData("{", "invalid_request")]
    [InlineData("""{"path":"large.png"}""", "image_too_large")]
    [InlineData("""{"path":"text.png"}""", "image_unreadable")]
    public async Task Names_lead_to_files_below_the_directory_only(string json, string code)
    {
        await File.WriteAllTextAsync(_images.Combine("text.png"), "no image", default);
        await File.WriteAllBytesAsync(_images.Combine("large.png"), new byte[(1 << 20) + 1], default);
        using var elsewhere = new TempDirectory();
        await File.WriteAllBytesAsync(elsewhere.Combine("x.png"), Parts.Good(1), default);
        Directory.CreateSymbolicLink(_images.Combine("link"), elsewhere.Path);
        var answer = await AskByNameAsync(json);
        Assert.Equal("application/problem+json", answer.ContentType);
        Assert.Equal(code, CommandSender.Read(answer)["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task Problems_have_the_codes_that_they_have_over_http()
    {
        await _service.Category("empty").CreateAsync();
        Assert.Equal("category_not_found", await GetCodeAsync("padim/none/score", Parts.Good(1)));
        Assert.Equal("model_not_ready", await GetCodeAsync("padim/empty/score", Parts.Good(1)));
        Assert.Equal("invalid_name", await GetCodeAsync("padim/$x/score", Parts.Good(1)));
        Assert.Equal("image_unreadable", await GetCodeAsync(Topic, "text"u8.ToArray()));
        Assert.Equal("no_images", await GetCodeAsync(Topic, []));
        Assert.Equal("image_too_large", await GetCodeAsync(Topic, new byte[(1 << 20) + 1]));
        Assert.Equal("invalid_request", await GetCodeAsync(Topic, Parts.Good(1), ("model", "one")));
        Assert.Equal("model_not_found", await GetCodeAsync(Topic, Parts.Good(1), ("model", "7")));
        Assert.Equal("invalid_request", await GetCodeAsync(Topic, Parts.Good(1), ("inspectionId", "a/b")));
        Assert.Equal("invalid_request", await GetCodeAsync(Topic, Parts.Good(1), ("width", "64")));
        Assert.Equal(
            "pixels_length_mismatch",
            await GetCodeAsync(Topic, new byte[5], ("width", "64"), ("height", "64"), ("format", "rgb24"))
        );
    }

    /// <summary>This broker hands out more than the receive maximum: what has no place is refused.</summary>
    [Fact]
    public async Task Commands_that_have_no_place_are_answered_too()
    {
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 80).Select(seed => _line.AskAsync(Topic, Parts.Good(seed)))
        );
        var problems = answers.Where(answer => answer.ContentType != "application/json").ToArray();
        Assert.True(problems.Length < answers.Length);
        Assert.All(problems, problem => Assert.Equal("queue_full", CommandSender.Read(problem).Text("code")));
    }

    [Fact]
    public async Task It_connects_again_when_the_broker_is_back()
    {
        await _broker.StopAsync();
        _broker.Dispose();
        await Eventually.TrueAsync(
            async () => (await GetHealthAsync()).Contains("no commands from the broker", StringComparison.Ordinal),
            () => "It did not notice."
        );
        Assert.True((await _service.Http.GetAsync("/health/ready")).IsSuccessStatusCode);
        _broker = await CommandSender.StartBrokerAsync(_port);
        await WaitUntilListeningAsync();
        await using var line = await CommandSender.ConnectAsync(_port);
        var answer = await line.AskAsync(Topic, Parts.Good(1));
        Assert.Equal("application/json", answer.ContentType);
    }

    [Fact]
    public async Task Replicas_share_the_commands_of_mosquitto()
    {
        await using var broker = await Mosquitto.StartAsync();
        using var others = new TempDirectory();
        await using var first = await StartAsync(others.Combine("a"), broker.Port, "a");
        await using var second = await StartAsync(others.Combine("b"), broker.Port, "b");
        foreach (var replica in new[] { first, second })
        {
            await replica.Category("flange").CreateFittedAsync(6);
            await Eventually.TrueAsync(
                () => Task.FromResult(replica.Get<MqttCommandListener>().Fault is null),
                () => $"Not connected: {replica.Get<MqttCommandListener>().Fault}"
            );
        }
        // More than both score at a time: the rest waits, at the broker or here.
        const int many = 30;
        await using var line = await CommandSender.ConnectAsync(broker.Port);
        var answers = await Task.WhenAll(
            Enumerable.Range(0, many).Select(seed => line.AskAsync(Topic, Parts.Good(seed)))
        );
        Assert.Empty(answers.Select(answer => CommandSender.Read(answer)["detail"]?.ToJsonString()).OfType<string>());
        Assert.Equal(many, line.Received);
        var counts = await Task.WhenAll(CountAsync(first), CountAsync(second));
        Assert.Equal(many, counts.Sum());
        Assert.All(counts, count => Assert.NotEqual(0, count));

        // A broker says itself when a command has expired; what is left is the deadline.
        var late = await line.AskAsync(
            Topic,
            Parts.Good(1),
            message => message.WithMessageExpiryInterval(60).WithUserProperty("deadlineMs", "60000"u8.ToArray())
        );
        Assert.Equal("application/json", late.ContentType);

        static Task<RunningService> StartAsync(string data, int port, string name) =>
            RunningService.StartAsync(
                data,
                ("Mqtt:Host", "127.0.0.1"),
                ("Mqtt:Port", port),
                ("Mqtt:MaxCommands", 4),
                ("ReplicaName", name)
            );

        static async Task<int> CountAsync(RunningService service)
        {
            await service.SettleAsync();
            return (await service.Http.GetJsonAsync("/v1/inspections?category=flange&limit=100")).Items().Length;
        }
    }

    [Theory]
    [InlineData("Topic", "padim/score")]
    [InlineData("Topic", "padim/{category}/#")]
    [InlineData("ResultTopic", "padim/{category}/score")]
    [InlineData("Port", "0")]
    [InlineData("Share", "a/b")]
    [InlineData("MaxCommands", "0")]
    [InlineData("ImageDirectory", "images")]
    [InlineData("KeyFile", "/key")]
    public void Wrong_settings_are_named(string name, string value)
    {
        var settings = new MqttCommandSettings { Host = "broker" };
        var property = typeof(MqttCommandSettings).GetProperty(name)!;
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        property.SetValue(settings, Convert.ChangeType(value, type, System.Globalization.CultureInfo.InvariantCulture));
        Assert.NotEmpty(settings.FindFaults());
        Assert.Empty(new MqttCommandSettings { Host = "broker" }.FindFaults());
    }

    private Task<MQTTnet.MqttApplicationMessage> AskByNameAsync(string json) =>
        _line.AskAsync(Topic, Encoding.UTF8.GetBytes(json), message => message.WithContentType("application/json"));

    private async Task<string> GetCodeAsync(
        string topic,
        byte[] payload,
        params (string Name, string Value)[] properties
    )
    {
        var answer = await _line.AskAsync(
            topic,
            payload,
            message =>
            {
                foreach (var (name, value) in properties)
                    message.WithUserProperty(name, Encoding.UTF8.GetBytes(value));
            }
        );
        return CommandSender.Read(answer)["code"]!.GetValue<string>();
    }

    private async Task<string> GetHealthAsync() => await _service.Http.GetStringAsync("/health/ready");

    private Task WaitUntilListeningAsync() =>
        Eventually.TrueAsync(
            () => Task.FromResult(_service.Get<MqttCommandListener>().Fault is null),
            () => $"Not connected: {_service.Get<MqttCommandListener>().Fault}"
        );
}
