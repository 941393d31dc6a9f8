using System.Net.Http.Json;
using MQTTnet.Server;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.Service.TestSupport.S3;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests.Telemetry;

/// <summary>A service after a little of everything, and what it measured of it.</summary>
public sealed class BusyService : IAsyncLifetime
{
    internal const int Good = 9,
        Bad = 2;

    internal ObservedService Service { get; private set; } = null!;

    internal Scrape Scrape { get; private set; } = null!;

    private FakeS3? _store;
    private WebhookReceiver? _receiver;
    private MqttServer? _broker;

    public async ValueTask InitializeAsync()
    {
        _store = await FakeS3.StartAsync();
        var port = FreePort.Find();
        _broker = await CommandSender.StartBrokerAsync(port);
        Service = await ObservedService.StartAsync([
            ("Padim__QueueCapacity", "4"),
            ("Padim__Mqtt__Host", "127.0.0.1"),
            ("Padim__Mqtt__Port", $"{port}"),
            ("Padim__Mqtt__Share", ""),
            .. _store.GetOptions().Select(option => ($"Padim__{option.Option.Replace(":", "__")}", $"{option.Value}")),
        ]);
        _receiver = await WebhookReceiver.StartAsync();
        await (await Service.Http.PutAsJsonAsync("/v1/sinks/mes", _receiver.Sink())).JsonAsync(201);
        var category = await Service.FittedAsync("flange");
        for (var seed = 100; seed < 100 + Good; seed++)
            await category.ScoreAsync(Parts.Good(seed));
        for (var seed = 100; seed < 100 + Bad; seed++)
            await category.ScoreAsync(Parts.Bad(seed));
        await (await category.SendScoreAsync([1, 2, 3])).ProblemAsync(422, "image_unreadable");
        // A trial of a version by its number says nothing about the line; here it is the active one.
        await category.ScoreAsync(Parts.Good(200), "?model=1");
        var gone = new CategoryClient(Service.Http, "gone");
        await gone.CreateFittedAsync(4);
        // Of another size: an image with warnings.
        await gone.ScoreAsync(Parts.Plain(64, 64));
        await AskOverMqttAsync(port);
        Scrape = await Service.ScrapeAsync();
        Assert.Equal(1, Scrape.Value("padim_drift_images", ("category", "gone")));
        Assert.True((await Service.Http.DeleteAsync(gone.Url)).IsSuccessStatusCode);
        await _receiver.HasAsync(Good + Bad + 1);
        await (await Service.Http.GetAsync("/v1/nowhere")).ProblemAsync(404, "route_not_found");
        Scrape = await Service.ScrapeAsync();
    }

    /// <summary>Sends a command for a category that is not there.</summary>
    private async Task AskOverMqttAsync(int port)
    {
        await Eventually.TrueAsync(
            async () => (await Service.ScrapeAsync()).Value("padim_mqtt_connected") is 1,
            () => "No connection to the broker."
        );
        await using var line = await CommandSender.ConnectAsync(port);
        await line.AskAsync("padim/nowhere/score", Parts.Good(1));
    }

    public async ValueTask DisposeAsync()
    {
        if (Service is not null)
            await Service.DisposeAsync();
        if (_receiver is not null)
            await _receiver.DisposeAsync();
        if (_store is not null)
            await _store.DisposeAsync();
        _broker?.Dispose();
    }
}

/// <summary>The tests that share it.</summary>
[CollectionDefinition]
public sealed class BusyTests : ICollectionFixture<BusyService>;
