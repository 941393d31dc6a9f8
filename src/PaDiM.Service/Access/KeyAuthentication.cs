using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>Authenticates requests by key. While access is open, every caller is anonymous.</summary>
internal sealed class KeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    OpenAccess open,
    KeyRing keys,
    SessionCookie sessions
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "Key";
    private const string Header = "X-Api-Key",
        Bearer = "Bearer ";

    /// <summary>Gets the credential of a request, whether or not it is a key.</summary>
    public static string? GetCredential(HttpRequest request) =>
        request.Headers[Header] is [{ Length: > 0 } key] ? key
        : request.Headers.Authorization is [{ } authorization]
        && authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            ? authorization[Bearer.Length..].Trim()
        : null;

    /// <summary>
    /// Gets whether a route allows anonymous access: probes and documentation, which must work without the database.
    /// </summary>
    public static bool AllowsAnonymous(HttpContext context) =>
        context.GetEndpoint() is not RouteEndpoint route || route.Metadata.GetMetadata<IAllowAnonymous>() is not null;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (AllowsAnonymous(Context))
            return AuthenticateResult.NoResult();
        if (await open.AllowsAsync(Context))
            return Success(Caller.Anonymous);
        Outcome<Caller>? found = GetCredential(Request) is { } text
            ? await keys.VerifyAsync(text, Context.RequestAborted)
            : await sessions.FindAsync(Context);
        return found is not { } outcome ? AuthenticateResult.NoResult()
            : outcome.Succeeded(out var caller, out var problem) ? Success(caller)
            : RefusedCredential.Fail(Context, problem);
    }

    private AuthenticateResult Success(Caller caller) =>
        AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(caller), Scheme.Name));
}

/// <summary>Carries the reason for a refused credential to the response, because the framework drops it.</summary>
internal sealed record RefusedCredential(Problem Problem)
{
    public static AuthenticateResult Fail(HttpContext context, Problem problem)
    {
        context.Features.Set(new RefusedCredential(problem));
        return AuthenticateResult.Fail(problem.Detail);
    }
}
