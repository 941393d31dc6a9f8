using System.Text.Json;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Options;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>The name of a route's action in the audit trail.</summary>
internal sealed record AuditedAction(string Name);

/// <summary>Details that a handler adds to the audit entry of its change.</summary>
/// <param name="Value">The new value.</param>
/// <param name="Category">The category, if the URL does not name it.</param>
internal sealed record AuditNote(object Value, string? Category);

/// <summary>Writes an audit entry for every request to a route that changes something.</summary>
internal sealed partial class AuditMiddleware(
    RequestDelegate next,
    AuditStore store,
    TimeProvider time,
    IOptions<JsonOptions> json,
    ILogger<AuditMiddleware> logger
)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<AuditedAction>() is { } action)
        {
            var id = await store.BeginAsync(CreateEntry(context, action), context.RequestAborted);
            // Completed before the first byte of the response, so that a client that has the response finds the entry
            // complete.
            context.Response.OnStarting(() => EndAsync(id, context));
        }
        await next(context);
    }

    private AuditEntry CreateEntry(HttpContext context, AuditedAction action)
    {
        var caller = context.User.Identity as Caller;
        return new AuditEntry
        {
            At = time.GetUtcNow().UtcDateTime,
            Actor = caller?.Name ?? Caller.AnonymousName,
            KeyId = caller?.KeyId,
            Action = action.Name,
            Category =
                context.GetRouteValue("category") is string category && CategoryName.IsValid(category)
                    ? category
                    : null,
            Target = AuditEntry.Shorten(context.Request.Path.Value ?? ""),
            Address = context.Connection.RemoteIpAddress is { } address
                ? (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString()
                : null,
            TraceId = RequestIdentity.GetTraceId(context),
        };
    }

    private async Task EndAsync(long id, HttpContext context)
    {
        try
        {
            var noted = context.Features.Get<AuditNote>();
            await store.EndAsync(
                id,
                context.Response.StatusCode,
                context.Response.Headers.Location,
                noted is null ? null : Describe(noted.Value),
                CancellationToken.None,
                noted?.Category
            );
        }
        catch (Exception e)
        {
            // The change is made and its entry exists. Failing the response now would claim otherwise.
            LogIncomplete(e, id);
        }
    }

    /// <summary>
    /// A body that was refused may hold texts or numbers that cannot be written, such as NaN; the entry does without
    /// them.
    /// </summary>
    private string? Describe(object value)
    {
        try
        {
            return JsonSerializer.Serialize(value, json.Value.SerializerOptions);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Could not complete audit entry {Id}")]
    private partial void LogIncomplete(Exception exception, long id);
}

/// <summary>Extension methods that declare routes as audited.</summary>
internal static class AuditConventions
{
    public static T Audited<T>(this T route, string action)
        where T : IEndpointConventionBuilder => route.WithMetadata(new AuditedAction(action));

    /// <summary>Adds the new value to the audit entry of this request.</summary>
    public static void AddAuditDetail(this HttpContext context, object value, string? category = null) =>
        context.Features.Set(new AuditNote(value, category));
}
