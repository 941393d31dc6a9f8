namespace PaDiM.Service.Http;

/// <summary>Headers that keep browsers from guessing, framing, keeping and telling.</summary>
internal static class SecurityHeaders
{
    /// <summary>Answers are data: a browser that is made to open one runs and loads nothing.</summary>
    private const string OfAnswers = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

    /// <summary>
    /// Swagger UI sets styles inline and draws its icons from data; its scripts lie in files of its own.
    /// </summary>
    private const string OfPages =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

    /// <summary>A year. A browser heeds it over HTTPS only, and so only there it is said.</summary>
    private const string StayWithHttps = "max-age=31536000";

    public static void Apply(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers.ContentSecurityPolicy = context.Request.Path.StartsWithSegments("/swagger") ? OfPages : OfAnswers;
        if (context.Request.IsHttps)
            headers.StrictTransportSecurity = StayWithHttps;
        // What a key has opened is for its holder; only images, which never change, say themselves how long they may be
        // kept.
        if (context.Request.Path.StartsWithSegments("/v1") && headers.CacheControl.Count == 0)
            headers.CacheControl = "no-store";
    }
}
