using Microsoft.Extensions.Options;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>
/// The cookie that a signed-in console sends. No script can read it, other sites cannot use it, and it counts only for
/// requests of this service's own pages.
/// </summary>
internal sealed class SessionCookie(
    SessionSeal seal,
    ProviderSeal provider,
    IOptions<AccessOptions> options,
    TimeProvider time
)
{
    private const string Name = "padim_session",
        FetchSite = "Sec-Fetch-Site";

    /// <summary>
    /// A page of another site cannot send a header of its own without asking, and the service never allows other sites
    /// to send cookies.
    /// </summary>
    public const string OwnPageHeader = "X-Padim-Console";

    /// <summary>Gets the caller of a session; null if the request has none.</summary>
    public async ValueTask<Outcome<Caller>?> FindAsync(HttpContext context)
    {
        if (context.Request.Cookies[Name] is { Length: > 0 } text && IsOwnPage(context.Request))
            return ProviderSeal.Recognises(text)
                ? provider.Open(text)
                : await seal.OpenAsync(text, context.RequestAborted);
        return null;
    }

    /// <summary>Gives the client a session with a key that has been verified.</summary>
    /// <returns>When it ends.</returns>
    public DateTimeOffset Set(HttpContext context, string key)
    {
        var lifetime = TimeSpan.FromHours(options.Value.SessionHours);
        var until = time.GetUtcNow() + lifetime;
        context.Response.Cookies.Append(Name, SessionSeal.Seal(key, until), CreateOptions(context, lifetime));
        return until;
    }

    /// <summary>Gives the client a session of a person whom the identity provider knows.</summary>
    /// <returns>Whether their rights fit into a cookie.</returns>
    public bool TrySet(HttpContext context, Caller caller)
    {
        var lifetime = TimeSpan.FromHours(options.Value.SessionHours);
        if (provider.Seal(caller, time.GetUtcNow() + lifetime) is not { } text)
            return false;
        context.Response.Cookies.Append(Name, text, CreateOptions(context, lifetime));
        return true;
    }

    public static void Remove(HttpContext context) =>
        context.Response.Cookies.Delete(Name, CreateOptions(context, lifetime: null));

    /// <summary>
    /// <c>SameSite</c> lets pages of other ports and subdomains through; browsers tell them apart by
    /// <c>Sec-Fetch-Site</c>, which they send over HTTPS and to the local machine.
    /// </summary>
    private static bool IsOwnPage(HttpRequest request)
    {
        var reads = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        return request.Headers[FetchSite].ToString() switch
            {
                "" or "same-origin" => true,
                "none" => reads,
                _ => false,
            } && (reads || request.Headers.ContainsKey(OwnPageHeader));
    }

    private static CookieOptions CreateOptions(HttpContext context, TimeSpan? lifetime) =>
        new()
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Strict,
            Secure = context.Request.IsHttps,
            IsEssential = true,
            Path = context.Request.PathBase.HasValue ? context.Request.PathBase.ToUriComponent() : "/",
            MaxAge = lifetime,
        };
}
