using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>Finds the caller by the key of the request; where access is open, that is anybody.</summary>
internal sealed class KeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    OpenAccess open,
    KeyRing keys
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "Key";
    private const string Header = "X-Api-Key",
        Bearer = "Bearer ";

    /// <summary>What stands in the place of a key, whatever it is.</summary>
    public static string? CredentialOf(HttpRequest request) =>
        request.Headers[Header] is [{ Length: > 0 } key] ? key
        : request.Headers.Authorization is [{ } authorization]
        && authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            ? authorization[Bearer.Length..].Trim()
        : null;

    /// <summary>
    /// Whether a route lets everyone in: probes and documentation, which must work when the database does not.
    /// </summary>
    public static bool IsForEveryone(HttpContext context) =>
        context.GetEndpoint() is not RouteEndpoint route || route.Metadata.GetMetadata<IAllowAnonymous>() is not null;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (IsForEveryone(Context))
            return AuthenticateResult.NoResult();
        if (await open.AllowsAsync(Context))
            return Success(Caller.Anonymous);
        if (CredentialOf(Request) is not { } text)
            return AuthenticateResult.NoResult();
        return (await keys.VerifyAsync(text, Context.RequestAborted)).Succeeded(out var caller, out var problem)
            ? Success(caller)
            : RefusedCredential.Fail(Context, problem);
    }

    private AuthenticateResult Success(Caller caller) =>
        AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(caller), Scheme.Name));
}

/// <summary>Carries the problem with credentials to the answer: the framework forgets why they were refused.</summary>
internal sealed record RefusedCredential(Problem Problem)
{
    public static AuthenticateResult Fail(HttpContext context, Problem problem)
    {
        context.Features.Set(new RefusedCredential(problem));
        return AuthenticateResult.Fail(problem.Detail);
    }
}
