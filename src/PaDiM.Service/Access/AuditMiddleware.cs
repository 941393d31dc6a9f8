using System.Text.Json;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Options;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>The name that the audit trail has for what a route does.</summary>
internal sealed record AuditedAction(string Name);

/// <summary>What a handler has to say for the audit trail about the change it makes.</summary>
/// <param name="Value">What it is to become.</param>
/// <param name="Category">Whose it is, where the address does not say so.</param>
internal sealed record AuditNote(object Value, string? Category);

/// <summary>Keeps the audit trail of all routes that change something.</summary>
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
            var id = await store.BeginAsync(Describe(context, action), context.RequestAborted);
            // Before the first byte of the answer: whoever has it finds the entry complete.
            context.Response.OnStarting(() => EndAsync(id, context));
        }
        await next(context);
    }

    private AuditEntry Describe(HttpContext context, AuditedAction action)
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
            TraceId = RequestIdentity.TraceIdOf(context),
        };
    }

    private async Task EndAsync(long id, HttpContext context)
    {
        try
        {
            var noted = context.Features.Get<AuditNote>();
            var detail = noted is null ? null : JsonSerializer.Serialize(noted.Value, json.Value.SerializerOptions);
            await store.EndAsync(
                id,
                context.Response.StatusCode,
                context.Response.Headers.Location,
                detail,
                CancellationToken.None,
                noted?.Category
            );
        }
        catch (Exception e)
        {
            // The change is made, and its entry is there; an answer that fails now would say otherwise.
            LogIncomplete(e, id);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Entry {Id} of the audit trail could not be completed")]
    private partial void LogIncomplete(Exception exception, long id);
}

/// <summary>Says of a route that it changes something.</summary>
internal static class AuditConventions
{
    public static T Audited<T>(this T route, string action)
        where T : IEndpointConventionBuilder => route.WithMetadata(new AuditedAction(action));

    /// <summary>Adds to the entry of this request what is being changed.</summary>
    public static void NoteForAudit(this HttpContext context, object value, string? category = null) =>
        context.Features.Set(new AuditNote(value, category));
}
