using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace PaDiM.Service.Http;

/// <summary>
/// Reads request bodies with a <c>Content-Encoding</c>, by the framework's own decompression. Every limit of a body
/// counts what is unpacked, while it is unpacked.
/// </summary>
internal static class CompressedBodies
{
    /// <summary>The codings that are read, as <c>Accept-Encoding</c> lists them.</summary>
    public const string Accepted = "gzip, br, deflate";

    private const string Identity = "identity",
        Gzip = "gzip",
        OldGzip = "x-gzip";

    public static IServiceCollection AddCompressedBodies(this IServiceCollection services) =>
        services.AddRequestDecompression(_ => { });

    public static void UseCompressedBodies(this WebApplication app)
    {
        app.Use(
            (context, next) =>
            {
                var headers = context.Request.Headers;
                if (!HasBody(context) || headers.ContentEncoding is not { Count: > 0 } codings)
                    return next(context);
                var coding = codings.ToString();
                if (coding.Equals(Identity, StringComparison.OrdinalIgnoreCase))
                {
                    headers.Remove(HeaderNames.ContentEncoding);
                    return next(context);
                }
                if (coding.Equals(OldGzip, StringComparison.OrdinalIgnoreCase))
                    headers.ContentEncoding = Gzip;
                context.Features.Set(new BodyCoding(coding));
                return next(context);
            }
        );
        app.UseRequestDecompression();
        app.Use(
            (context, next) =>
            {
                if (context.Features.Get<BodyCoding>() is not { } coding)
                    return next(context);
                var request = context.Request;
                // The framework removes the header of what it unpacks.
                if (request.Headers.ContentEncoding.Count > 0)
                {
                    context.Response.Headers.AcceptEncoding = Accepted;
                    return Problems.UnsupportedEncoding(coding.Name, Accepted).ExecuteAsync(context);
                }
                // It is the length of what was sent.
                request.ContentLength = null;
                request.Body = new UnpackedBody(request.Body, coding.Name);
                return next(context);
            }
        );
    }

    /// <summary>
    /// Gets whether the body of a request is being unpacked, so that little sent may be much to read.
    /// </summary>
    public static bool IsCompressed(HttpRequest request) => request.HttpContext.Features.Get<BodyCoding>() is not null;

    private static bool HasBody(HttpContext context) =>
        context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody is not false;

    private sealed record BodyCoding(string Name);
}
