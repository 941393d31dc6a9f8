using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing.Template;

namespace PaDiM.Service.Http;

/// <summary>What every route does with methods that it does not name: HEAD and OPTIONS.</summary>
internal static class Methods
{
    /// <summary>Lets every GET answer HEAD too: the same handler and headers; the server leaves out the body.</summary>
    public static TRoutes AnswerHead<TRoutes>(this TRoutes routes)
        where TRoutes : IEndpointConventionBuilder
    {
        routes.Finally(endpoint =>
        {
            for (var i = 0; i < endpoint.Metadata.Count; i++)
                if (endpoint.Metadata[i] is HttpMethodMetadata { HttpMethods: [var only] } && HttpMethods.IsGet(only))
                    endpoint.Metadata[i] = new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]);
        });
        return routes;
    }

    /// <summary>
    /// Creates the answer to a method that the URL does not support. Routing has set <c>Allow</c>. OPTIONS only asks
    /// for it, so that it succeeds.
    /// </summary>
    public static IResult Refuse(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.Allow = $"{headers.Allow}, {HttpMethods.Options}";
        return HttpMethods.IsOptions(context.Request.Method)
            ? TypedResults.NoContent()
            : Problems.MethodNotAllowed(context.Request.Method, headers.Allow!);
    }

    /// <summary>
    /// Gets the content types that the operation at a URL reads. Routing refuses all others before it has chosen an
    /// operation, and does not say which one it refused.
    /// </summary>
    public static IReadOnlyList<string> FindContentTypes(HttpContext context) =>
        context
            .RequestServices.GetRequiredService<EndpointDataSource>()
            .Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint =>
                endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Contains(context.Request.Method)
                    is true
                && new TemplateMatcher(new RouteTemplate(endpoint.RoutePattern), []).TryMatch(context.Request.Path, [])
            )
            .Select(endpoint => endpoint.Metadata.GetMetadata<IAcceptsMetadata>()?.ContentTypes)
            .FirstOrDefault(types => types is not null)
        ?? [];
}
