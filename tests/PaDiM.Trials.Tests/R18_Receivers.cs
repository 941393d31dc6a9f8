using System.Net.Http.Json;
using System.Text.Json.Nodes;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Trials;

/// <summary>
/// R18: receivers of inspections that are away, paused or slow. Scores are answered although nothing has been delivered, and
/// what was not delivered arrives when the receiver is back.
/// </summary>
public sealed class R18_Receivers : IAsyncLifetime
{
    private const int Count = 12;
    private const string Url = "/v1/sinks/broker";
    private readonly TempDirectory _data = new();
    private RunningService _service = null!;
    private int _scored;

    public async ValueTask InitializeAsync()
    {
        _service = await RunningService.StartAsync(_data.Path, ("SinkFlushSeconds", 0), ("SinkQueueCapacity", 8));
        await _service.Category("part").CreateFittedAsync(4);
    }

    public async ValueTask DisposeAsync()
    {
        await _service.DisposeAsync();
        _data.Dispose();
    }

    [Fact]
    public async Task A_broker_that_is_stopped_gets_everything_later()
    {
        await using var broker = await Mosquitto.StartAsync();
        await PutAsync(broker.Port);
        await ScoreAsync(3);
        await StatusAsync(status => status.Number("delivered") == 3);
        await broker.StopAsync();
        await ScoreAsync(Count);
        // All were answered while nothing could be delivered; those that no longer fit in memory are counted.
        var status = await StatusAsync(status => status["error"] is not null);
        Assert.Equal(3, status.Number("delivered"));
        await StatusAsync(status =>
            status.Text("circuit") != "closed" && status.Number("failed") + status.Number("dropped") >= Count
        );
        var dropped = (await StatusAsync(_ => true)).Number("dropped");
        await LettersAsync(Count - (int)dropped);
        Assert.Equal("degraded", (await _service.Http.GetJsonAsync("/health/ready")).Text("status"));
        await broker.StartAgainAsync();
        await StatusAsync(status =>
            status.Number("delivered") == 3 + Count - dropped && status.Text("circuit") == "closed"
        );
        await LettersAsync(0);
    }

    [Fact]
    public async Task A_broker_that_is_paused_holds_up_no_score()
    {
        await using var broker = await Mosquitto.StartAsync();
        await PutAsync(broker.Port);
        await ScoreAsync(1);
        await StatusAsync(status => status.Number("delivered") == 1);
        await broker.PauseAsync();
        await ScoreAsync(Count);
        // One is being sent, eight wait, and the others were dropped, oldest first.
        var status = await StatusAsync(_ => true);
        Assert.Equal(1, status.Number("delivered"));
        Assert.InRange(status.Number("queued") + status.Number("dropped") + status.Number("failed"), Count - 1, Count);
        await broker.ContinueAsync();
        await StatusAsync(seen => seen.Number("delivered") + seen.Number("dropped") >= 1 + Count);
    }

    [Fact]
    public async Task A_broker_that_is_slow_holds_up_no_score()
    {
        await using var broker = await Mosquitto.StartAsync();
        using var slow = new Forwarder(broker.Port);
        await PutAsync(slow.Port);
        await ScoreAsync(1);
        await StatusAsync(status => status.Number("delivered") == 1);
        // A message and its confirmation: eight seconds for all, and scores take milliseconds.
        slow.Delay = TimeSpan.FromSeconds(0.4);
        await ScoreAsync(Count);
        var status = await StatusAsync(_ => true);
        Assert.InRange(status.Number("delivered"), 1, Count);
        Assert.Equal((0.0, "closed"), (status.Number("failed"), status.Text("circuit")));
        slow.Delay = TimeSpan.Zero;
        await StatusAsync(seen => seen.Number("delivered") + seen.Number("dropped") == 1 + Count);
        await LettersAsync(0);
    }

    private async Task PutAsync(int port) =>
        await (
            await _service.Http.PutAsJsonAsync(Url, new { timeoutSeconds = 2, mqtt = new { host = "127.0.0.1", port } })
        ).JsonAsync(201);

    private async Task ScoreAsync(int count)
    {
        for (var i = 0; i < count; i++)
            await _service.Category("part").ScoreAsync(Parts.Good(_scored++));
    }

    private async Task LettersAsync(int count)
    {
        var seen = 0;
        await Eventually.TrueAsync(
            async () => (seen = (await _service.Http.GetJsonAsync($"{Url}/dead-letters")).Items().Length) == count,
            () => $"{seen} dead letters in place of {count}"
        );
    }

    private async Task<JsonNode> StatusAsync(Func<JsonNode, bool> expected)
    {
        JsonNode? seen = null;
        await Eventually.TrueAsync(
            async () => expected(seen = (await _service.Http.GetJsonAsync(Url))["status"]!),
            () => $"Status: {seen?.ToJsonString()}"
        );
        return seen!;
    }
}
