using System.Diagnostics;
using Serilog.Context;

namespace PaDiM.Service.Http;

/// <summary>
/// The names that a client gives to its request and to the part on it: on every line of the log that the request
/// writes, and on the answer.
/// </summary>
internal static class RequestIdentity
{
    public const string PartHeader = "X-Part-Id",
        RequestHeader = "X-Request-Id";
    private const int MaxLength = 128;

    public static void UseRequestIdentity(this WebApplication app) =>
        app.Use(
            async (context, next) =>
            {
                var request = Clean(context.Request.Headers[RequestHeader]) ?? TraceIdOf(context);
                var part = Clean(context.Request.Headers[PartHeader]);
                context.Response.OnStarting(() =>
                {
                    context.Response.Headers[RequestHeader] = request;
                    if (part is not null)
                        context.Response.Headers[PartHeader] = part;
                    return Task.CompletedTask;
                });
                // RequestId is the framework's own number, and stays so.
                using (LogContext.PushProperty("XRequestId", request))
                using (part is null ? null : LogContext.PushProperty("PartId", part))
                    await next(context);
            }
        );

    /// <summary>What finds a request in the log, and its trace.</summary>
    public static string TraceIdOf(HttpContext context) =>
        Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier;

    /// <summary>
    /// A name as it is kept: printable ASCII, so that it can be a header and forge no line of a log, each other
    /// character a question mark, cut off where it is long. A line is not stopped for an odd bar code. Null where there
    /// is none.
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
