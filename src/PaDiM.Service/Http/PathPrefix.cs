using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace PaDiM.Service.Http;

/// <summary>
/// The path below which clients reach the service behind a proxy, such as <c>/padim</c>. It is the request's
/// <see cref="HttpRequest.PathBase"/>, whether the proxy removes it from the path or passes it on, so that every
/// address in an answer has it.
/// </summary>
internal static partial class PathPrefix
{
    /// <summary>The first segments of the service's own addresses, which a prefix could not be told from.</summary>
    private static readonly string[] OwnSegments =
    [
        .. SecurityHeaders.ApiRoots,
        "/swagger",
        "/health",
        "/metrics",
        "/console",
    ];

    /// <summary>Gets whether a text can be a prefix.</summary>
    public static bool IsValid(string text) =>
        Pattern().IsMatch(text) && !OwnSegments.Any(own => new PathString(text).StartsWithSegments(own));

    /// <summary>
    /// Takes the prefix from the settings or, without one there, from a known proxy. The framework's path base leaves
    /// the path base empty if the proxy has removed the prefix, and restores the path before the answer starts.
    /// </summary>
    public static void UsePathPrefix(this WebApplication app)
    {
        var configured = app.Services.GetRequiredService<IOptions<ProxyOptions>>().Value.PathBase;
        app.Use(
            (context, next) =>
            {
                var request = context.Request;
                var prefix = configured.Length > 0 ? configured : request.PathBase.Value?.TrimEnd('/') ?? "";
                // A proxy may pass on what its client sends.
                if (!IsValid(prefix))
                    prefix = "";
                request.PathBase = prefix;
                if (
                    prefix.Length > 0
                    && request.Path.StartsWithSegments(prefix, StringComparison.Ordinal, out var rest)
                )
                    request.Path = rest.HasValue ? rest : "/";
                context.Response.OnStarting(() =>
                {
                    Complete(context);
                    return Task.CompletedTask;
                });
                return next(context);
            }
        );
    }

    /// <summary>Adds the prefix to the address in <c>Location</c>. Routes name their own addresses only.</summary>
    private static void Complete(HttpContext context)
    {
        var headers = context.Response.Headers;
        if (
            context.Request.PathBase.HasValue
            && headers.Location.ToString() is ['/', .. var rest] location
            && !rest.StartsWith('/')
        )
            headers.Location = context.Request.PathBase.ToUriComponent() + location;
    }

    [GeneratedRegex(@"\A(/(?!\.{1,2}(/|\z))[A-Za-z0-9._~-]{1,64}){1,8}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
