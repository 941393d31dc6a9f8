using PaDiM.Service.Access;
using PaDiM.Service.Http;
using PaDiM.Service.Images;

namespace PaDiM.Service.Hosting;

/// <summary>What every request passes before its handler.</summary>
internal static class Pipeline
{
    /// <summary>Routing refuses a content type before it is known what the operation would have read.</summary>
    private const string Bodies =
        $"JSON as application/json, {ImageRequest.Expected}, or a model as application/octet-stream; /swagger tells which of them this operation reads";

    /// <summary>
    /// Where requests come from, headers that keep browsers from guessing, a line a request in the log, errors as
    /// problems, and who may do what.
    /// </summary>
    public static void UsePipeline(this WebApplication app)
    {
        app.UseKnownProxies();
        var drain = app.Services.GetRequiredService<Drain>();
        app.Use(
            (context, next) =>
            {
                // At the last moment: an answer that an exception takes the place of loses its headers.
                context.Response.OnStarting(() =>
                {
                    SecurityHeaders.Apply(context);
                    // Whoever keeps connections opens the next one elsewhere, before this end closes them all at once.
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

    /// <summary>The problem behind a status that came without a body.</summary>
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
