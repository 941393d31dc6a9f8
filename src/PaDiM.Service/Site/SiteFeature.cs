using PaDiM.Service.Http;

namespace PaDiM.Service.Site;

/// <summary>The console: the web page at <c>/</c> and below <c>/console</c>.</summary>
internal static class SiteFeature
{
    /// <summary>
    /// Only files of the console's own run and load. Pictures that it draws or holds in memory are <c>blob:</c>.
    /// </summary>
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' "
        + "blob:; connect-src 'self'; font-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    /// <summary>The names of assets have a hash of their content.</summary>
    private const string Forever = "public, max-age=31536000, immutable",
        Revalidated = "no-cache";

    public static IServiceCollection AddSite(this IServiceCollection services) => services.AddSingleton<SiteFiles>();

    public static void MapSite(this IEndpointRouteBuilder routes)
    {
        Map("/", (HttpContext context, SiteFiles files) => WritePageAsync(context, files));
        // The page reads the rest of its address itself, and says so if there is nothing.
        Map("/console/{**path}", (HttpContext context, SiteFiles files) => WritePageAsync(context, files));
        Map(
            "/console/assets/{name}",
            (string name, HttpContext context, SiteFiles files) => WriteAssetAsync(name, context, files)
        );

        void Map(string pattern, Delegate handler) =>
            routes.MapGet(pattern, handler).AllowAnonymous().ExcludeFromDescription();
    }

    private static Task WritePageAsync(HttpContext context, SiteFiles files)
    {
        context.Response.Headers.ContentSecurityPolicy = Policy;
        context.Response.Headers.CacheControl = Revalidated;
        return files.GetPage(context.Request.PathBase).WriteAsync(context);
    }

    private static Task WriteAssetAsync(string name, HttpContext context, SiteFiles files)
    {
        if (files.Find($"assets/{name}") is not { } file)
            return Problems.RouteNotFound().ExecuteAsync(context);
        context.Response.Headers.CacheControl = Forever;
        return file.WriteAsync(context);
    }
}
