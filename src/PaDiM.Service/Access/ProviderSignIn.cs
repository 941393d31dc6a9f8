using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace PaDiM.Service.Access;

/// <summary>
/// Signs browsers in with the identity provider (authorization code flow with PKCE). What the person may do comes from
/// the access token, which is checked like those that clients send themselves.
/// </summary>
internal sealed partial class ProviderSignIn(
    IOptions<AccessOptions> options,
    TokenReader tokens,
    SessionCookie sessions,
    ILogger<ProviderSignIn> logger
) : IConfigureNamedOptions<OpenIdConnectOptions>
{
    /// <summary>Where a browser begins to sign in, and where the provider sends it back to.</summary>
    public const string StartPath = "/console/sign-in",
        ReturnPath = "/console/signed-in";

    private const string HomePath = "/console";

    /// <summary>How a page learns why the sign-in failed.</summary>
    private const string Unavailable = "unavailable",
        Refused = "refused",
        NoRights = "no-rights";

    public void Configure(OpenIdConnectOptions settings) =>
        Configure(OpenIdConnectDefaults.AuthenticationScheme, settings);

    public void Configure(string? name, OpenIdConnectOptions settings)
    {
        var oidc = options.Value.Oidc;
        if (!oidc.IsForBrowsers)
            return;
        settings.Authority = oidc.Authority;
        settings.ClientId = oidc.ClientId;
        settings.ClientSecret = oidc.ClientSecret;
        settings.RequireHttpsMetadata = !new Uri(oidc.Authority!).IsLoopback;
        settings.BackchannelTimeout = TokenReader.Timeout;
        settings.ResponseType = OpenIdConnectResponseType.Code;
        settings.ResponseMode = OpenIdConnectResponseMode.Query;
        settings.UsePkce = true;
        settings.MapInboundClaims = false;
        settings.Scope.Clear();
        foreach (var scope in oidc.ClientScopes.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            settings.Scope.Add(scope);
        settings.TokenValidationParameters.ValidAlgorithms = TokenReader.Algorithms;
        settings.TokenValidationParameters.ClockSkew = TokenReader.ClockSkew;
        settings.CallbackPath = ReturnPath;
        settings.RemoteSignOutPath = default;
        settings.SignedOutCallbackPath = default;
        settings.DataProtectionProvider = new SealedProtection(ProviderSeal.DeriveSecret(oidc, "sign-in"));
        // By default they are sent over HTTPS only, and a service in a closed network may have none.
        foreach (var cookie in new[] { settings.CorrelationCookie, settings.NonceCookie })
        {
            cookie.SameSite = SameSiteMode.Lax;
            cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        }
        settings.Events = new OpenIdConnectEvents
        {
            OnTokenValidated = ReadCallerAsync,
            OnTicketReceived = SignIn,
            OnRemoteFailure = Refuse,
        };
    }

    /// <summary>Leads a browser to the provider.</summary>
    /// <param name="context">Its request.</param>
    /// <param name="to">The page that it returns to.</param>
    public async Task StartAsync(HttpContext context, string? to)
    {
        // Nothing but pages of the console: an address elsewhere would make this a way to disguise links.
        var page =
            to is not null
            && (to == HomePath || to.StartsWith($"{HomePath}/", StringComparison.Ordinal))
            && !to.Contains("//", StringComparison.Ordinal)
            && !to.Contains('\\')
                ? to
                : HomePath;
        try
        {
            await context.ChallengeAsync(
                OpenIdConnectDefaults.AuthenticationScheme,
                new AuthenticationProperties { RedirectUri = context.Request.PathBase + page }
            );
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or HttpRequestException)
        {
            LogUnavailable(e, options.Value.Oidc.Authority);
            GoHome(context, Unavailable);
        }
    }

    private async Task ReadCallerAsync(TokenValidatedContext context)
    {
        var caller = context.TokenEndpointResponse?.AccessToken is { Length: > 0 } token
            ? await tokens.ReadAsync(token, context.HttpContext.RequestAborted)
            : null;
        if (caller is null)
            context.Fail("The access token of the provider is not one for this service.");
        else
            context.Principal = new ClaimsPrincipal(caller);
    }

    private Task SignIn(TicketReceivedContext context)
    {
        if (
            context.Principal?.Identity is not Caller { Scope: not null } caller
            || !sessions.TrySet(context.HttpContext, caller)
        )
        {
            LogNoRights(context.Principal?.Identity?.Name);
            GoHome(context.HttpContext, NoRights);
        }
        else
            context.Response.Redirect(context.ReturnUri ?? context.Request.PathBase + HomePath);
        context.HandleResponse();
        return Task.CompletedTask;
    }

    private Task Refuse(RemoteFailureContext context)
    {
        LogRefused(context.Failure);
        GoHome(context.HttpContext, Refused);
        context.HandleResponse();
        return Task.CompletedTask;
    }

    private static void GoHome(HttpContext context, string why) =>
        context.Response.Redirect($"{context.Request.PathBase}{HomePath}?sign-in={why}");

    [LoggerMessage(Level = LogLevel.Warning, Message = "The identity provider {Authority} cannot be reached.")]
    private partial void LogUnavailable(Exception exception, string? authority);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A sign-in with the identity provider failed.")]
    private partial void LogRefused(Exception? exception);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Name} signed in with the identity provider, but the token holds no scope of this service, or too many "
            + "categories."
    )]
    private partial void LogNoRights(string? name);
}
