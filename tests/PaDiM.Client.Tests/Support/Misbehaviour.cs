using Microsoft.AspNetCore.Http;

namespace PaDiM.Client.Tests.Support;

/// <summary>A service that is busy, limited, silent, cut off or not the service at all, by path.</summary>
internal static class Misbehaviour
{
    private const string Problem = "application/problem+json",
        Json = "application/json";

    public static async Task AnswerAsync(HttpContext context, int number)
    {
        await context.Request.Body.CopyToAsync(Stream.Null);
        var path = context.Request.Path.Value!;
        if (path.Contains("silent", StringComparison.Ordinal))
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        else if (path.Contains("lost", StringComparison.Ordinal))
            context.Abort();
        else if (path.Contains("limited", StringComparison.Ordinal))
            await WriteAsync(context, 429, Problem, """{"code": "rate_limited", "detail": "Later."}""", "3600");
        else if (path.Contains("page", StringComparison.Ordinal))
            await WriteAsync(context, 200, "text/html", "<html>Sign in</html>", null);
        else if (path.EndsWith("/events", StringComparison.Ordinal))
            await WriteAsync(
                context,
                200,
                "text/event-stream",
                ": hello\n\nid: 1\nevent: job\ndata: {\"id\": \"j\", \"state\": \"cancelled\", \"error\": null}\n\n",
                null
            );
        else if (number == 0)
            await WriteAsync(context, 503, Problem, """{"code": "queue_full", "detail": "Busy."}""", "1");
        else
            await WriteAsync(context, 200, Json, """{"score": 1.5}""", null);
    }

    private static async Task WriteAsync(HttpContext context, int status, string type, string body, string? retryAfter)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        if (retryAfter is not null)
            context.Response.Headers.RetryAfter = retryAfter;
        await context.Response.WriteAsync(body);
    }
}
