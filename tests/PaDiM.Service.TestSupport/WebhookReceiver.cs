using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace PaDiM.Service.TestSupport;

/// <summary>A webhook that came.</summary>
/// <param name="Headers">Its headers.</param>
/// <param name="Body">Its bytes.</param>
internal sealed record ReceivedWebhook(IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public JsonNode Event => JsonNode.Parse(Body)!;

    /// <summary>The signature that a receiver expects, as Standard Webhooks describes it.</summary>
    public string Sign(string secret)
    {
        byte[] signed =
        [
            .. Encoding.UTF8.GetBytes($"{Headers["webhook-id"]}.{Headers["webhook-timestamp"]}."),
            .. Body,
        ];
        var key = Convert.FromBase64String(secret["whsec_".Length..]);
        return $"v1,{Convert.ToBase64String(HMACSHA256.HashData(key, signed))}";
    }
}

/// <summary>A receiver of webhooks on a free loopback port, which answers as a test says.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    public const string Secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        OtherSecret = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";

    private readonly WebApplication _app;

    private WebhookReceiver(WebApplication app) => _app = app;

    public string Url => $"{_app.Urls.Single()}/hook?plant=1";

    /// <summary>What has come, in order.</summary>
    public ConcurrentQueue<ReceivedWebhook> Received { get; } = new();

    /// <summary>What is answered; 204 otherwise.</summary>
    public Func<HttpContext, Task>? Answer { get; set; }

    public static async Task<WebhookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var receiver = new WebhookReceiver(app);
        app.Run(receiver.HandleAsync);
        await app.StartAsync();
        return receiver;
    }

    /// <summary>The settings of a sink that sends here.</summary>
    public object Sink(object? decisions = null, object? categories = null, bool enabled = true) =>
        new
        {
            enabled,
            categories,
            decisions,
            timeoutSeconds = 5,
            webhook = new
            {
                url = Url,
                secrets = new[] { Secret },
                allowPrivate = true,
            },
        };

    /// <summary>Waits until so many have come.</summary>
    public Task HasAsync(int count) =>
        Eventually.TrueAsync(
            () => Task.FromResult(Received.Count >= count),
            () => $"{Received.Count} webhooks in place of {count}."
        );

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        Received.Enqueue(
            new ReceivedWebhook(
                context.Request.Headers.ToDictionary(
                    header => header.Key,
                    header => header.Value.ToString(),
                    StringComparer.OrdinalIgnoreCase
                ),
                body.ToArray()
            )
        );
        if (Answer is { } answer)
            await answer(context);
        else
            context.Response.StatusCode = (int)HttpStatusCode.NoContent;
    }
}
