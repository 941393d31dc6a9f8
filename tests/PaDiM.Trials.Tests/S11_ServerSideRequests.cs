using System.Net;
using System.Net.Http.Json;
using PaDiM.Core.Scoring;
using PaDiM.Service.Data;
using PaDiM.Service.Scoring;
using PaDiM.Service.Sinks;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Trials;

/// <summary>
/// S11: requests that the service can be made to send. Whatever a webhook names, nothing arrives where it may not go.
/// </summary>
public sealed class S11_ServerSideRequests : IAsyncLifetime
{
    private readonly TempDirectory _data = new();
    private WebhookReceiver _inside = null!;

    public async ValueTask InitializeAsync() => _inside = await WebhookReceiver.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _inside.DisposeAsync();
        _data.Dispose();
    }

    /// <summary>Every spelling of an address inside, as a literal and as what a name leads to.</summary>
    [Fact]
    public async Task No_spelling_of_an_address_leads_inside()
    {
        await using var service = await RunningService.StartAsync(_data.Path, ("SinkFlushSeconds", 0));
        var port = new Uri(_inside.Url).Port;
        var reached = new List<string>();
        foreach (
            var host in new[]
            {
                "localhost",
                "LOCALHOST",
                "localhost.",
                "127.0.0.1",
                "127.1",
                "2130706433",
                "0x7f000001",
                "0177.0.0.1",
                "0.0.0.0",
                "0",
                "[::1]",
                "[::]",
                "[::ffff:127.0.0.1]",
                "[::ffff:7f00:1]",
                "[64:ff9b::7f00:1]",
                "[2002:7f00:1::]",
                "169.254.169.254",
                "[fd00:ec2::254]",
                "ⓛocalhost",
                "127。0。0。1",
            }
        )
        {
            var put = await service.Http.PutAsJsonAsync(
                "/v1/sinks/probe",
                new
                {
                    timeoutSeconds = 2,
                    webhook = new { url = $"http://{host}:{port}/", secrets = new[] { WebhookReceiver.Secret } },
                }
            );
            if ((int)put.StatusCode == 422)
                continue;
            Assert.True(put.IsSuccessStatusCode, host);
            var tested = await (await service.Http.PostAsync("/v1/sinks/probe/test", null)).JsonAsync(200);
            if (tested["delivered"]!.GetValue<bool>())
                reached.Add(host);
        }
        Assert.Empty(reached);
        Assert.Empty(_inside.Received);
    }

    /// <summary>The second look-up of a name says something else than the first; each connection is checked by itself.</summary>
    [Fact]
    public async Task A_name_that_changes_its_address_does_not_lead_inside()
    {
        var port = new Uri(_inside.Url).Port;
        IPAddress[][] answers =
        [
            [IPAddress.Parse("192.0.2.1")],
            [IPAddress.Loopback],
            [IPAddress.Parse("169.254.169.254"), IPAddress.IPv6Loopback],
            [],
        ];
        var asked = 0;
        await using var target = new WebhookTarget(
            new WebhookRequest { Url = $"http://rebind.example:{port}/" },
            [WebhookReceiver.Secret],
            TimeProvider.System,
            (_, _) => Task.FromResult(answers[asked++])
        );
        foreach (var isRefused in new[] { true, true, true, false })
        {
            var failure = await Assert.ThrowsAsync<DeliveryException>(() => target.SendAsync(Message(), default));
            Assert.Equal(isRefused, failure.IsRefused);
        }
        Assert.Equal(answers.Length, asked);
        Assert.Empty(_inside.Received);
    }

    /// <summary>One look-up, and the address of it is the one that is connected to.</summary>
    [Fact]
    public async Task A_name_is_looked_up_once_for_a_connection()
    {
        var port = new Uri(_inside.Url).Port;
        var asked = 0;
        await using var target = new WebhookTarget(
            new WebhookRequest { Url = $"http://mes.example:{port}/", AllowPrivate = true },
            [WebhookReceiver.Secret],
            TimeProvider.System,
            (_, _) => Task.FromResult(asked++ == 0 ? [IPAddress.Loopback] : Array.Empty<IPAddress>())
        );
        for (var i = 0; i < 3; i++)
            Assert.Equal("HTTP 204", await target.SendAsync(Message(), default));
        Assert.Equal(1, asked);
        Assert.Equal($"mes.example:{port}", _inside.Received.First().Headers["Host"]);
    }

    [Fact]
    public async Task Redirects_are_not_followed()
    {
        await using var outside = await WebhookReceiver.StartAsync();
        foreach (var status in new[] { 301, 302, 303, 307, 308 })
        {
            outside.Answer = context =>
            {
                context.Response.StatusCode = status;
                context.Response.Headers.Location = _inside.Url;
                return Task.CompletedTask;
            };
            await using var target = Create(outside.Url);
            var failure = await Assert.ThrowsAsync<DeliveryException>(() => target.SendAsync(Message(), default));
            Assert.True(failure.IsRefused);
            Assert.Contains($"HTTP {status}", failure.Message, StringComparison.Ordinal);
        }
        Assert.Empty(_inside.Received);
        Assert.Equal(5, outside.Received.Count);
    }

    /// <summary>An answer without an end, or of endless headers, takes neither memory nor time.</summary>
    [Fact]
    public async Task An_answer_is_read_to_a_limit()
    {
        var closed = new TaskCompletionSource();
        _inside.Answer = async context =>
        {
            context.RequestAborted.Register(() => closed.TrySetResult());
            var chunk = new byte[64 << 10];
            while (!context.RequestAborted.IsCancellationRequested)
                await context.Response.Body.WriteAsync(chunk, CancellationToken.None);
        };
        await using var target = Create(_inside.Url);
        Assert.StartsWith("HTTP 200", await target.SendAsync(Message(), default), StringComparison.Ordinal);
        await closed.Task.WaitAsync(TimeSpan.FromSeconds(60));

        _inside.Answer = context =>
        {
            context.Response.Headers["X-Long"] = new string('x', 100_000);
            return Task.CompletedTask;
        };
        await using var other = Create(_inside.Url);
        await Assert.ThrowsAsync<DeliveryException>(() => other.SendAsync(Message(), default));
    }

    private static WebhookTarget Create(string url) =>
        new(new WebhookRequest { Url = url, AllowPrivate = true }, [WebhookReceiver.Secret], TimeProvider.System);

    private static SinkMessage Message() =>
        new(
            new Inspection(
                "1",
                "part",
                null,
                null,
                null,
                DateTime.UtcNow,
                Decision.Normal,
                1,
                2,
                0.5,
                "part",
                1,
                0,
                false,
                Array.Empty<AnomalyRegion>(),
                [],
                new ScoredImage(1, 1, ""),
                new Timings(0, 0, 0, 0, 0, 0),
                "r"
            )
        );
}
