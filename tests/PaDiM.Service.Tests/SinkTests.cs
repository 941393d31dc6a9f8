using System.Diagnostics;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Sinks as clients see them, and webhooks as receivers do.</summary>
public sealed class SinkTests(PreparedData prepared) : IClassFixture<PreparedData>, IAsyncLifetime
{
    private const string Url = "/v1/sinks/mes";
    private readonly TempDirectory _data = new();
    private RunningService _service = null!;
    private WebhookReceiver _receiver = null!;

    public async ValueTask InitializeAsync()
    {
        await prepared.CopyAsync("fitted", _data.Path, PrepareAsync);
        _service = await RunningService.StartAsync(_data.Path, ("ReplicaName", "line-a"), ("SinkFlushSeconds", 0));
        _receiver = await WebhookReceiver.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _service.DisposeAsync();
        await _receiver.DisposeAsync();
        _data.Dispose();
    }

    [Fact]
    public async Task An_inspection_is_sent_as_a_signed_event()
    {
        await PutAsync(_receiver.Sink());
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{_service.Category("part").Url}/score")
        {
            Content = CategoryClient.Raw(Parts.Bad(5), "image/bmp"),
            Headers =
            {
                { "X-Part-Id", "SN-1" },
                { "X-Station-Id", "station 3" },
                { "X-Lot-Id", "lot 1" },
                { "X-Inspection-Id", "my.1" },
            },
        };
        var answer = await (await _service.Http.SendAsync(request)).JsonAsync(200);
        await _receiver.HasAsync(1);
        var sent = _receiver.Received.Single();
        Assert.Equal("application/cloudevents+json; charset=utf-8", sent.Headers["Content-Type"]);
        Assert.Equal("my.1", sent.Headers["webhook-id"]);
        Assert.Equal(sent.Sign(WebhookReceiver.Secret), sent.Headers["webhook-signature"]);
        var then = DateTimeOffset.FromUnixTimeSeconds(
            long.Parse(sent.Headers["webhook-timestamp"], System.Globalization.CultureInfo.InvariantCulture)
        );
        Assert.InRange(DateTimeOffset.UtcNow - then, TimeSpan.Zero, TimeSpan.FromMinutes(1));

        var body = sent.Event;
        Assert.Equal(
            ("1.0", "my.1", "/v1/categories/part", "padim.inspection", "SN-1", "application/json"),
            (
                body.Text("specversion"),
                body.Text("id"),
                body.Text("source"),
                body.Text("type"),
                body.Text("subject"),
                body.Text("datacontenttype")
            )
        );
        var data = body["data"]!;
        Assert.Equal(
            ("my.1", "part", "SN-1", "station 3", "lot 1", "anomalous", "line-a"),
            (
                data.Text("id"),
                data.Text("category"),
                data.Text("part"),
                data.Text("station"),
                data.Text("lot"),
                data.Text("decision"),
                data.Text("replica")
            )
        );
        foreach (var member in new[] { "score", "threshold", "pValue" })
            Assert.Equal(answer.Number(member), data.Number(member));
        Assert.Equal(answer["image"]!.ToJsonString(), data["image"]!.ToJsonString());
        Assert.Equal(answer.Items("regions").Length, data.Items("regions").Length);
        Assert.Equal(
            [
                "at",
                "category",
                "decidedBy",
                "decision",
                "fallback",
                "id",
                "image",
                "lot",
                "modelVersion",
                "pValue",
                "part",
                "regions",
                "replica",
                "score",
                "station",
                "threshold",
                "thresholdVersion",
                "timingsMs",
                "warnings",
            ],
            data.AsObject().Select(member => member.Key).Order(StringComparer.Ordinal)
        );
        await StatusAsync(status => status.Number("delivered") == 1 && status["deliveredAt"] is not null);
    }

    [Fact]
    public async Task Secrets_change_without_a_gap_and_are_never_shown()
    {
        var made = await PutAsync(_receiver.Sink());
        Assert.Equal(1, made["webhook"]!.Number("secrets"));
        // Without secrets, the stored ones stay.
        await PutAsync(Webhook(null), 200);
        await _service.Category("part").ScoreAsync(Parts.Good(1));
        await _receiver.HasAsync(1);
        Assert.Equal(_receiver.Received.Last().Sign(WebhookReceiver.Secret), Signature());
        await PutAsync(Webhook([WebhookReceiver.OtherSecret, WebhookReceiver.Secret]), 200);
        await _service.Category("part").ScoreAsync(Parts.Good(2));
        await _receiver.HasAsync(2);
        var last = _receiver.Received.Last();
        Assert.Equal($"{last.Sign(WebhookReceiver.OtherSecret)} {last.Sign(WebhookReceiver.Secret)}", Signature());

        var shown = (await _service.Http.GetJsonAsync("/v1/sinks")).ToJsonString();
        Assert.DoesNotContain(WebhookReceiver.Secret[^20..], shown, StringComparison.Ordinal);
        await using var db = await _service.Get<IDbContextFactory<PadimDbContext>>().CreateDbContextAsync();
        var row = await db.Sinks.SingleAsync();
        Assert.DoesNotContain("whsec_", row.Settings + row.Secrets, StringComparison.Ordinal);
        var trail = string.Concat(await db.AuditEntries.Select(entry => entry.Detail).ToListAsync());
        Assert.DoesNotContain("whsec_", trail, StringComparison.Ordinal);
        Assert.Contains("/hook", trail, StringComparison.Ordinal);

        string Signature() => _receiver.Received.Last().Headers["webhook-signature"];

        object Webhook(string[]? secrets) =>
            new
            {
                webhook = new
                {
                    url = _receiver.Url,
                    secrets,
                    allowPrivate = true,
                },
            };
    }

    [Fact]
    public async Task A_sink_gets_what_it_asks_for()
    {
        await PutAsync(_receiver.Sink(decisions: new[] { "anomalous" }, categories: new[] { "part" }));
        await _service.Category("part").ScoreAsync(Parts.Good(1));
        await _service.Category("part").ScoreAsync(Parts.Bad(5));
        await _receiver.HasAsync(1);
        await PutAsync(_receiver.Sink(enabled: false), 200);
        await _service.Category("part").ScoreAsync(Parts.Bad(6));
        await PutAsync(_receiver.Sink(categories: new[] { "other" }), 200);
        await _service.Category("part").ScoreAsync(Parts.Bad(7));
        await PutAsync(_receiver.Sink(), 200);
        await _service.Category("part").ScoreAsync(Parts.Good(3));
        await _receiver.HasAsync(2);
        Assert.Equal(["anomalous", "normal"], _receiver.Received.Select(sent => sent.Event["data"]!.Text("decision")));

        Assert.Equal(204, (int)(await _service.Http.DeleteAsync(Url)).StatusCode);
        await _service.Category("part").ScoreAsync(Parts.Bad(5));
        await (await _service.Http.GetAsync(Url)).ProblemAsync(404, "sink_not_found");
        Assert.Empty((await _service.Http.GetJsonAsync("/v1/sinks")).Items());
        Assert.Equal(2, _receiver.Received.Count);
    }

    [Fact]
    public async Task What_a_receiver_refuses_waits_for_a_person()
    {
        _receiver.Answer = context =>
        {
            context.Response.StatusCode = 422;
            return context.Response.WriteAsync("no such part\n");
        };
        await PutAsync(_receiver.Sink());
        var scored = await _service.Category("part").ScoreAsync(Parts.Bad(5));
        await _service.Category("part").ScoreAsync(Parts.Bad(6));
        var letters = await LettersAsync(2);
        Assert.Equal(2, _receiver.Received.Count);
        Assert.Equal(
            ("refused", "HTTP 422: no such part", 1),
            (letters[0].Text("state"), letters[0].Text("error"), (int)letters[0].Number("attempts"))
        );
        Assert.Equal(scored.Text("inspectionId"), letters[0]["inspection"]!.Text("id"));
        // A receiver that answers is no reason to stop sending.
        await StatusAsync(status =>
            status.Text("circuit") == "closed" && status.Number("failed") == 2 && status["error"] is not null
        );

        _receiver.Answer = null;
        var one = $"{Url}/dead-letters/{letters[0].Text("id")}";
        Assert.Equal(1, (await (await _service.Http.PostAsync($"{one}/send", null)).JsonAsync(202)).Number("count"));
        await _receiver.HasAsync(3);
        Assert.Equal(letters[0]["inspection"]!.Text("id"), _receiver.Received.Last().Headers["webhook-id"]);
        await LettersAsync(1);
        await (await _service.Http.PostAsync($"{one}/send", null)).ProblemAsync(404, "dead_letter_not_found");
        await (await _service.Http.DeleteAsync(one)).ProblemAsync(404, "dead_letter_not_found");

        await (await _service.Http.PostAsync($"{Url}/dead-letters/send", null)).JsonAsync(202);
        await LettersAsync(0);
        Assert.Equal(4, _receiver.Received.Count);
    }

    [Fact]
    public async Task Dead_letters_can_be_deleted()
    {
        _receiver.Answer = context =>
        {
            context.Response.StatusCode = 400;
            return Task.CompletedTask;
        };
        await PutAsync(_receiver.Sink());
        for (var seed = 0; seed < 3; seed++)
            await _service.Category("part").ScoreAsync(Parts.Bad(seed));
        var letters = await LettersAsync(3);
        var first = await _service.Http.GetJsonAsync($"{Url}/dead-letters?limit=2");
        var rest = await _service.Http.GetJsonAsync($"{Url}/dead-letters?cursor={first.Text("nextCursor")}");
        Assert.Equal(
            letters.Select(letter => letter.Text("id")),
            first.Items().Concat(rest.Items()).Select(letter => letter.Text("id"))
        );
        Assert.Equal(
            204,
            (int)(await _service.Http.DeleteAsync($"{Url}/dead-letters/{letters[0].Text("id")}")).StatusCode
        );
        await StatusAsync(status => status.Number("deadLetters") == 2);
        var deleted = await (await _service.Http.DeleteAsync($"{Url}/dead-letters")).JsonAsync(200);
        Assert.Equal(2, deleted.Number("count"));
        await LettersAsync(0);
    }

    [Fact]
    public async Task Nothing_is_lost_while_a_receiver_is_away_and_the_service_restarts()
    {
        var url = _receiver.Url;
        await PutAsync(_receiver.Sink());
        await _receiver.DisposeAsync();
        var ids = new List<string>();
        for (var seed = 0; seed < 5; seed++)
            ids.Add((await _service.Category("part").ScoreAsync(Parts.Bad(seed))).Text("inspectionId"));
        // The rest of the queue is kept on the way out.
        await _service.DisposeAsync();
        _service = await RunningService.StartAsync(_data.Path, ("SinkFlushSeconds", 0));
        var letters = await LettersAsync(5);
        Assert.Equal(ids, letters.Select(letter => letter["inspection"]!.Text("id")));
        Assert.All(letters, letter => Assert.Equal("waiting", letter.Text("state")));

        _receiver = await WebhookReceiver.StartAsync();
        Assert.NotEqual(url, _receiver.Url);
        await PutAsync(_receiver.Sink(), 200);
        await _receiver.HasAsync(5);
        await LettersAsync(0);
        Assert.Equal(ids, _receiver.Received.Select(sent => sent.Headers["webhook-id"]));
    }

    [Fact]
    public async Task A_receiver_that_hangs_is_not_waited_for()
    {
        var hang = new TaskCompletionSource();
        _receiver.Answer = _ => hang.Task;
        await PutAsync(_receiver.Sink());
        for (var seed = 0; seed < 8; seed++)
            await _service.Category("part").ScoreAsync(Parts.Good(seed));
        await _receiver.HasAsync(1);
        // All scores were answered before the first delivery was.
        Assert.Single(_receiver.Received);
        await StatusAsync(status => status.Number("queued") == 7 && status.Number("delivered") == 0);
        hang.SetResult();
        await _receiver.HasAsync(8);
    }

    [Fact]
    public async Task A_test_says_what_the_receiver_said()
    {
        await PutAsync(_receiver.Sink(enabled: false));
        var tested = await (await _service.Http.PostAsync($"{Url}/test", null)).JsonAsync(200);
        Assert.Equal((true, "HTTP 204"), (tested["delivered"]!.GetValue<bool>(), tested.Text("detail")));
        Assert.Equal("padim.test", _receiver.Received.Single().Event.Text("type"));
        Assert.StartsWith("test-", _receiver.Received.Single().Headers["webhook-id"], StringComparison.Ordinal);

        _receiver.Answer = context =>
        {
            context.Response.StatusCode = 403;
            return context.Response.WriteAsync(new string('x', 100_000));
        };
        tested = await (await _service.Http.PostAsync($"{Url}/test", null)).JsonAsync(200);
        Assert.False(tested["delivered"]!.GetValue<bool>());
        Assert.StartsWith("HTTP 403: xxx", tested.Text("detail"), StringComparison.Ordinal);
        Assert.InRange(tested.Text("detail").Length, 100, 400);
        await LettersAsync(0);
        await (await _service.Http.PostAsync("/v1/sinks/other/test", null)).ProblemAsync(404, "sink_not_found");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"webhook": {"secrets": ["SECRET"]}}""")]
    [InlineData("""{"webhook": {"url": "ftp://mes.example/", "secrets": ["SECRET"]}}""")]
    [InlineData("""{"webhook": {"url": "/relative", "secrets": ["SECRET"]}}""")]
    [InlineData("""{"webhook": {"url": "https://me:word@mes.example/", "secrets": ["SECRET"]}}""")]
    [InlineData("""{"webhook": {"url": "https://mes.example/#part", "secrets": ["SECRET"]}}""")]
    [InlineData("""{"webhook": {"url": "http://127.1/", "secrets": ["SECRET"]}}""")]
    [InlineData("""{"webhook": {"url": "http://2130706433/", "secrets": ["SECRET"]}}""")]
    [InlineData("""{"webhook": {"url": "http://[::ffff:10.0.0.1]/", "secrets": ["SECRET"]}}""")]
    [InlineData("""{"webhook": {"url": "http://169.254.169.254/", "secrets": ["SECRET"], "allowPrivate": true}}""")]
    [InlineData("""{"webhook": {"url": "https://mes.example/"}}""")]
    [InlineData("""{"webhook": {"url": "https://mes.example/", "secrets": []}}""")]
    [InlineData("""{"webhook": {"url": "https://mes.example/", "secrets": ["whsec_c2hvcnQ="]}}""")]
    [InlineData("""{"webhook": {"url": "https://mes.example/", "secrets": ["SECRET", "SECRET", "SECRET"]}}""")]
    [InlineData("""{"decisions": [], "webhook": {"url": "https://mes.example/", "secrets": ["SECRET"]}}""")]
    [InlineData("""{"categories": [], "webhook": {"url": "https://mes.example/", "secrets": ["SECRET"]}}""")]
    [InlineData("""{"timeoutSeconds": 31, "webhook": {"url": "https://mes.example/", "secrets": ["SECRET"]}}""")]
    [InlineData("""{"timeoutSeconds": 0, "webhook": {"url": "https://mes.example/", "secrets": ["SECRET"]}}""")]
    public async Task A_sink_that_makes_no_sense_is_refused(string body)
    {
        var response = await SendAsync(Url, body.Replace("SECRET", WebhookReceiver.Secret, StringComparison.Ordinal));
        await response.ProblemAsync(422, "invalid_settings");
        Assert.Empty((await _service.Http.GetJsonAsync("/v1/sinks")).Items());
    }

    [Fact]
    public async Task Names_and_members_are_checked()
    {
        var body = $$$"""{"webhook": {"url": "https://mes.example/", "secrets": ["{{{WebhookReceiver.Secret}}}"]}}""";
        await (await SendAsync("/v1/sinks/MES", body)).ProblemAsync(400, "invalid_request");
        await (await SendAsync(Url, body[..^1] + """, "categories": ["A b"]}""")).ProblemAsync(400, "invalid_name");
        await (await SendAsync(Url, body[..^1] + """, "decisions": ["bad"]}""")).ProblemAsync(400, "invalid_request");
        await (await SendAsync(Url, body[..^1] + """, "color": "red"}""")).ProblemAsync(400, "invalid_request");
        for (var i = 0; i < 32; i++)
            await (await SendAsync($"/v1/sinks/sink-{i:00}", body)).JsonAsync(201);
        await (await SendAsync("/v1/sinks/sink-32", body)).ProblemAsync(422, "invalid_settings");
        await (await SendAsync("/v1/sinks/sink-31", body)).JsonAsync(200);
        var page = await _service.Http.GetJsonAsync("/v1/sinks?limit=20");
        var next = await _service.Http.GetJsonAsync($"/v1/sinks?cursor={page.Text("nextCursor")}");
        Assert.Equal((20, 12), (page.Items().Length, next.Items().Length));
    }

    /// <summary>A restored backup has the rows and not the key.</summary>
    [Fact]
    public async Task Secrets_that_cannot_be_opened_are_asked_for_again()
    {
        await PutAsync(_receiver.Sink());
        await _service.DisposeAsync();
        File.Delete(new DataDirectory(_data.Path).SinkKey);
        _service = await RunningService.StartAsync(_data.Path, ("SinkFlushSeconds", 0));
        Assert.Equal(0, (await _service.Http.GetJsonAsync(Url))["webhook"]!.Number("secrets"));
        var tested = await (await _service.Http.PostAsync($"{Url}/test", null)).JsonAsync(200);
        Assert.Contains("SinkKeyFile", tested.Text("detail"), StringComparison.Ordinal);
        var without = new { webhook = new { url = _receiver.Url, allowPrivate = true } };
        await (await _service.Http.PutAsJsonAsync(Url, without)).ProblemAsync(422, "invalid_settings");
        await PutAsync(_receiver.Sink(), 200);
        tested = await (await _service.Http.PostAsync($"{Url}/test", null)).JsonAsync(200);
        Assert.True(tested["delivered"]!.GetValue<bool>());
    }

    [Fact]
    public async Task The_receiver_of_the_documentation_tells_true_from_false()
    {
        const string python = "/usr/bin/python3";
        Assert.SkipUnless(File.Exists(python), "python3 is absent.");
        const string start = "```python\n";
        var page = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "sinks.md"));
        var from = page.IndexOf(start, StringComparison.Ordinal) + start.Length;
        var port = FreePort.Find();
        var script = Path.Combine(_data.Path, "receiver.py");
        await File.WriteAllTextAsync(
            script,
            page[from..page.IndexOf("```", from, StringComparison.Ordinal)]
                .Replace("9000", $"{port}", StringComparison.Ordinal)
        );
        using var process = Process.Start(
            new ProcessStartInfo(python, [script])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["SECRETS"] = $"{WebhookReceiver.Secret} {WebhookReceiver.OtherSecret}" },
            }
        )!;
        try
        {
            await PutAsync(Sink(WebhookReceiver.OtherSecret));
            await Eventually.TrueAsync(
                async () =>
                    (await (await _service.Http.PostAsync($"{Url}/test", null)).JsonAsync(200)).Text("detail")
                    == "HTTP 204",
                () => $"It does not take the test; ended: {process.HasExited}"
            );
            Assert.Equal("normal", await process.StandardOutput.ReadLineAsync());
            var strange = $"whsec_{Convert.ToBase64String(Encoding.ASCII.GetBytes(new string('x', 32)))}";
            await PutAsync(Sink(strange), 200);
            var tested = await (await _service.Http.PostAsync($"{Url}/test", null)).JsonAsync(200);
            Assert.Equal("HTTP 401", tested.Text("detail"));
        }
        finally
        {
            process.Kill();
        }

        object Sink(string secret) =>
            new
            {
                webhook = new
                {
                    url = $"http://127.0.0.1:{port}/",
                    secrets = new[] { secret },
                    allowPrivate = true,
                },
            };
    }

    private static async Task<string> PrepareAsync(string data)
    {
        await using var service = await RunningService.StartAsync(data);
        await service.Category("part").CreateFittedAsync(6);
        return data;
    }

    private async Task<JsonNode> PutAsync(object sink, int status = 201) =>
        await (await _service.Http.PutAsJsonAsync(Url, sink)).JsonAsync(status);

    private Task<HttpResponseMessage> SendAsync(string url, string body) =>
        _service.Http.PutAsync(url, new StringContent(body, Encoding.UTF8, "application/json"));

    private async Task StatusAsync(Func<JsonNode, bool> expected)
    {
        JsonNode? seen = null;
        await Eventually.TrueAsync(
            async () => expected(seen = (await _service.Http.GetJsonAsync(Url))["status"]!),
            () => $"Status: {seen?.ToJsonString()}"
        );
    }

    private async Task<JsonNode[]> LettersAsync(int count)
    {
        JsonNode[] letters = [];
        await Eventually.TrueAsync(
            async () => (letters = (await _service.Http.GetJsonAsync($"{Url}/dead-letters")).Items()).Length == count,
            () => $"{letters.Length} dead letters in place of {count}"
        );
        return letters;
    }
}
