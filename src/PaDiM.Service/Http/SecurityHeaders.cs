namespace PaDiM.Service.Http;

/// <summary>Headers that stop browsers from sniffing content, framing, caching and sending referrers.</summary>
internal static class SecurityHeaders
{
    /// <summary>Responses are data: a browser that opens one runs and loads nothing.</summary>
    private const string ResponsePolicy =
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

    /// <summary>
    /// Swagger UI sets inline styles and draws its icons from data URLs; its scripts are separate files.
    /// </summary>
    private const string PagePolicy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: "
        + "blob:; connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action "
        + "'self'";

    /// <summary>One year. Browsers honour it over HTTPS only, so it is sent over HTTPS only.</summary>
    private const string StrictTransport = "max-age=31536000";

    /// <summary>Gets the first segments of what answers for one caller only.</summary>
    public static IReadOnlyList<string> ApiRoots { get; } = ["/v1", "/v2", "/2020-11-20"];

    public static void Apply(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        // Pages of the service's own state theirs.
        if (headers.ContentSecurityPolicy.Count == 0)
            headers.ContentSecurityPolicy = context.Request.Path.StartsWithSegments("/swagger")
                ? PagePolicy
                : ResponsePolicy;
        if (context.Request.IsHttps)
            headers.StrictTransportSecurity = StrictTransport;
        // Responses to authenticated requests are for that caller only. Images never change and set their own cache
        // time.
        if (headers.CacheControl.Count == 0 && ApiRoots.Any(root => context.Request.Path.StartsWithSegments(root)))
            headers.CacheControl = "no-store";
    }
}
