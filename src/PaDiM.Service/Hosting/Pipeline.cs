using PaDiM.Service.Access;
using PaDiM.Service.Http;
using PaDiM.Service.Images;

namespace PaDiM.Service.Hosting;

/// <summary>What every request passes before its handler.</summary>
internal static class Pipeline
{
    /// <summary>Routing refuses a content type before the operation is known.</summary>
    private const string Bodies =
        $"JSON as application/json, {ImageRequest.Expected}, or a model as application/octet-stream; see "
        + "/swagger for this operation";

    /// <summary>
    /// Orders the middleware: client addresses, security headers, one log line per request, errors as problems, and
    /// access.
    /// </summary>
    public static void UsePipeline(this WebApplication app)
    {
        app.UseKnownProxies();
        var drain = app.Services.GetRequiredService<Drain>();
        app.Use(
            (context, next) =>
            {
                // As late as possible, because an exception handler clears the headers.
                context.Response.OnStarting(() =>
                {
                    SecurityHeaders.Apply(context);
                    // Clients with persistent connections reconnect elsewhere before this process closes all
                    // connections at once.
                    if (drain.IsUnderWay && !HttpProtocol.IsHttp2(context.Request.Protocol))
                        context.Response.Headers.Connection = "close";
                    return Task.CompletedTask;
                });
                return next(context);
            }
        );
        app.UseRequestIdentity();
        app.UseRequestLogging();
        app.UseExceptionHandler();
        app.UseStatusCodePages(context => Bare(context.HttpContext).ExecuteAsync(context.HttpContext));
        app.UseAccess();
        app.UseDeadlines();
    }

    /// <summary>Creates the problem for a status without a body.</summary>
    private static Problem Bare(HttpContext context) =>
        context.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => Problems.RouteNotFound(),
            StatusCodes.Status405MethodNotAllowed => Problems.MethodNotAllowed(context.Request.Method),
            StatusCodes.Status408RequestTimeout => Problems.BodyTooSlow(),
            StatusCodes.Status413PayloadTooLarge => Problems.BodyTooLarge(),
            StatusCodes.Status415UnsupportedMediaType => Problems.UnsupportedMediaType(
                context.Request.ContentType,
                Bodies
            ),
            var status => Problems.NotAnswered(status),
        };
}
