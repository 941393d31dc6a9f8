using System.Diagnostics;
using Serilog;
using Serilog.Context;

namespace PaDiM.Service.Http;

/// <summary>
/// The client's names for its request and for the part. They appear on every log line of the request and on the
/// response.
/// </summary>
internal static class RequestIdentity
{
    public const string PartHeader = "X-Part-Id",
        StationHeader = "X-Station-Id",
        LotHeader = "X-Lot-Id",
        InspectionHeader = "X-Inspection-Id",
        RequestHeader = "X-Request-Id";
    private const int MaxLength = 128;

    public static void UseRequestIdentity(this WebApplication app) =>
        app.Use(
            async (context, next) =>
            {
                var request = Clean(context.Request.Headers[RequestHeader]) ?? GetTraceId(context);
                var part = Clean(context.Request.Headers[PartHeader]);
                context.Response.OnStarting(() =>
                {
                    context.Response.Headers[RequestHeader] = request;
                    if (part is not null)
                        context.Response.Headers[PartHeader] = part;
                    return Task.CompletedTask;
                });
                // RequestId stays the framework's own number.
                using (LogContext.PushProperty("XRequestId", request))
                using (part is null ? null : LogContext.PushProperty("PartId", part))
                    await next(context);
            }
        );

    /// <summary>
    /// Names the part after the request has begun, because its name is in the body: in the answer, and on the line of
    /// the request in the log. Returns the name in the form that both may hold.
    /// </summary>
    public static string? NamePart(HttpContext context, string name)
    {
        if (Clean(name) is not { } part)
            return null;
        context.Response.Headers[PartHeader] = part;
        context.RequestServices.GetRequiredService<IDiagnosticContext>().Set("PartId", part);
        return part;
    }

    /// <summary>Gets the identifier of the request in the log and of its trace.</summary>
    public static string GetTraceId(HttpContext context) =>
        Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier;

    /// <summary>
    /// Converts a name to printable ASCII, so that it can be a header and cannot forge a log line: other characters
    /// become question marks, and long names are truncated. An odd bar code must not stop the line. Returns null if
    /// there is no name.
    /// </summary>
    public static string? Clean(string? name)
    {
        if (string.IsNullOrWhiteSpace(name))
            return null;
        var kept = name.AsSpan().Trim();
        if (kept.Length > MaxLength)
            kept = kept[..MaxLength];
        return string.Create(
            kept.Length,
            kept,
            (clean, text) =>
            {
                for (var i = 0; i < text.Length; i++)
                    clean[i] = text[i] is >= ' ' and <= '~' ? text[i] : '?';
            }
        );
    }
}
