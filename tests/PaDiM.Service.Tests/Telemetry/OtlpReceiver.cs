using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using PaDiM.Service.Tests.Telemetry.Otlp;

namespace PaDiM.Service.Tests.Telemetry;

/// <summary>A receiver of traces by OTLP over HTTP, on a loopback port.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly ConcurrentQueue<ExportTraceServiceRequest> _received = new();
    private readonly WebApplication _app;

    private OtlpReceiver()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.Urls.Add("http://127.0.0.1:0");
        _app.MapPost(
            "/v1/traces",
            async (HttpRequest request) =>
            {
                using var body = new MemoryStream();
                await request.Body.CopyToAsync(body);
                _received.Enqueue(ExportTraceServiceRequest.Parser.ParseFrom(body.ToArray()));
                return Results.Bytes([], "application/x-protobuf");
            }
        );
    }

    public string Address => _app.Urls.Single();

    public IReadOnlyList<Span> Spans =>
        [
            .. _received
                .SelectMany(request => request.ResourceSpans)
                .SelectMany(resource => resource.ScopeSpans)
                .SelectMany(scope => scope.Spans),
        ];

    public IEnumerable<KeyValue> Resource =>
        _received.SelectMany(request => request.ResourceSpans).SelectMany(resource => resource.Resource.Attributes);

    public static async Task<OtlpReceiver> StartAsync()
    {
        var receiver = new OtlpReceiver();
        await receiver._app.StartAsync();
        return receiver;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}

/// <summary>How tests read spans.</summary>
internal static class Spans
{
    public static string Trace(this Span span) => Convert.ToHexStringLower(span.TraceId.Span);

    public static string Id(this Span span) => Convert.ToHexStringLower(span.SpanId.Span);

    public static string Parent(this Span span) => Convert.ToHexStringLower(span.ParentSpanId.Span);

    public static AnyValue? Tag(this Span span, string key) =>
        span.Attributes.FirstOrDefault(attribute => attribute.Key == key)?.Value;
}
