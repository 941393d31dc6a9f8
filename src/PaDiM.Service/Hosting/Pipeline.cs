using Microsoft.Extensions.Options;
using PaDiM.Service.Access;
using PaDiM.Service.Http;
using PaDiM.Service.Images;

namespace PaDiM.Service.Hosting;

/// <summary>What every request passes before its handler.</summary>
internal static class Pipeline
{
    /// <summary>
    /// Orders the middleware: client addresses, security headers, one log line per request, errors as problems, and
    /// access.
    /// </summary>
    public static void UsePipeline(this WebApplication app)
    {
        app.UseKnownProxies();
        app.UsePathPrefix();
        app.UseRouting();
        var drain = app.Services.GetRequiredService<Drain>();
        var replica = app.Services.GetRequiredService<IOptions<ReplicaOptions>>().Value.ReplicaName;
        app.Use(
            (context, next) =>
            {
                // As late as possible, because an exception handler clears the headers.
                context.Response.OnStarting(() =>
                {
                    SecurityHeaders.Apply(context);
                    context.Response.Headers[ResultHeaders.Replica] = replica;
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
        app.UseCrossOrigin();
        app.UseAccess();
        app.UseDeadlines();
        app.UseCompressedBodies();
    }

    /// <summary>Creates the problem for a status without a body.</summary>
    private static IResult Bare(HttpContext context) =>
        context.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => Problems.RouteNotFound(),
            StatusCodes.Status405MethodNotAllowed => Methods.Refuse(context),
            StatusCodes.Status408RequestTimeout => Problems.BodyTooSlow(),
            StatusCodes.Status413PayloadTooLarge => Problems.BodyTooLarge(),
            StatusCodes.Status415UnsupportedMediaType => Problems.UnsupportedMediaType(
                context.Request.ContentType,
                ImageRequest.Describe(Methods.FindContentTypes(context))
            ),
            var status => Problems.NotAnswered(status),
        };
}
