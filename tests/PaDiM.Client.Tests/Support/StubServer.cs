using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace PaDiM.Client.Tests.Support;

/// <summary>
/// A server that answers as a test says, over real connections: for what a healthy service never does.
/// </summary>
internal sealed class StubServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private StubServer(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.First());

    /// <summary>The requests so far: method, path and query, the headers, and the length of the body.</summary>
    public ConcurrentQueue<Received> Requests { get; } = new();

    /// <param name="answer">Gets the request and its number, from 0.</param>
    public static async Task<StubServer> StartAsync(Func<HttpContext, int, Task> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var server = new StubServer(app);
        app.Urls.Add("http://127.0.0.1:0");
        app.Run(async context =>
        {
            var request = context.Request;
            var entry = new Received(
                $"{request.Method} {request.PathBase}{request.Path}{request.QueryString}",
                request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString())
            );
            var number = server.Requests.Count;
            server.Requests.Enqueue(entry);
            await answer(context, number);
        });
        await app.StartAsync();
        return server;
    }

    /// <summary>Answers every request in turn, the last answer for all that follow.</summary>
    public static Task<StubServer> StartAsync(
        params (int Status, string Body, string Type, string? RetryAfter)[] answers
    ) =>
        StartAsync(
            async (context, number) =>
            {
                await context.Request.Body.CopyToAsync(Stream.Null);
                var (status, body, type, retryAfter) = answers[Math.Min(number, answers.Length - 1)];
                context.Response.StatusCode = status;
                context.Response.ContentType = type;
                if (retryAfter is not null)
                    context.Response.Headers.RetryAfter = retryAfter;
                await context.Response.WriteAsync(body);
            }
        );

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    internal sealed record Received(string Line, IReadOnlyDictionary<string, string> Headers);
}
