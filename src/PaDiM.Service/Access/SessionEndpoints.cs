using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary><c>/v1/session</c>: who calls, and sessions of browsers.</summary>
internal static class SessionEndpoints
{
    public static void MapSession(this IEndpointRouteBuilder routes)
    {
        var session = routes.MapGroup("/v1/session").WithTags("Access").NeedsNobody();
        session
            .MapGet("", GetAsync)
            .WithName("GetSession")
            .WithSummary("Gets who calls and what they may do")
            .WithDescription("Needs no key: without valid credentials, `scope` is null.")
            .Produces<SessionResponse>();
        session
            .MapPost("", CreateAsync)
            .WithName("CreateSession")
            .WithSummary("Signs a browser in with a key")
            .WithDescription(
                "The answer sets a cookie that scripts cannot read, and that ends after `SessionHours`. Requests with "
                    + "it count like requests with the key. Those that are not GET need the header "
                    + $"`{SessionCookie.OwnPageHeader}: 1` too, and only pages of this service can send both."
            )
            .Produces<SessionResponse>();
        session
            .MapDelete("", Delete)
            .WithName("DeleteSession")
            .WithSummary("Signs a browser out")
            .Produces(StatusCodes.Status204NoContent);
        // A page that a browser opens, and no operation of the API.
        routes.MapGet(ProviderSignIn.StartPath, StartAsync).AllowAnonymous().ExcludeFromDescription();
    }

    private static async Task StartAsync(
        HttpContext context,
        ProviderSignIn provider,
        IOptions<AccessOptions> options,
        string? to = null
    )
    {
        if (options.Value.Oidc.IsForBrowsers)
            await provider.StartAsync(context, to);
        else
            await Problems.RouteNotFound().ExecuteAsync(context);
    }

    private static async Task<IResult> GetAsync(
        HttpContext context,
        OpenAccess open,
        IOptions<AccessOptions> options
    ) =>
        TypedResults.Ok(
            Describe(
                context.User.Identity as Caller,
                isRequired: !await open.AllowsAsync(context),
                canSignOut: KeyAuthentication.GetCredential(context.Request) is null,
                options.Value.Oidc.IsForBrowsers
            )
        );

    private static async Task<IResult> CreateAsync(
        SessionRequest request,
        HttpContext context,
        KeyRing keys,
        SessionCookie cookie,
        RateLimits limits,
        IOptions<AccessOptions> options,
        CancellationToken cancellationToken
    )
    {
        if (string.IsNullOrEmpty(request.Key))
            return Problems.InvalidRequest("key is missing: the text of a key, padim_...");
        if (!(await keys.VerifyAsync(request.Key, cancellationToken)).Succeeded(out var caller, out var problem))
            return limits.Challenge(context, problem, isRefused: true);
        cookie.Set(context, request.Key);
        return TypedResults.Ok(Describe(caller, isRequired: true, canSignOut: true, options.Value.Oidc.IsForBrowsers));
    }

    private static NoContent Delete(HttpContext context)
    {
        SessionCookie.Remove(context);
        return TypedResults.NoContent();
    }

    private static SessionResponse Describe(Caller? caller, bool isRequired, bool canSignOut, bool provider) =>
        new(
            isRequired,
            isRequired ? caller?.Name : null,
            caller?.Scope,
            caller?.Categories,
            canSignOut && isRequired && caller is not null,
            provider && isRequired
        );
}
