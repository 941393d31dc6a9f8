using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>Registers authentication, authorization and rate limits, and orders them in the pipeline.</summary>
internal static class AccessFeature
{
    private const string Either = "KeyOrToken";

    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddPadimOptions<AccessOptions>();
        services.AddSingleton<KeyRing>().AddHostedService(provider => provider.GetRequiredService<KeyRing>());
        services.AddSingleton<KeyStore>().AddSingleton<AuditStore>().AddSingleton<OpenAccess>();
        services.AddSingleton<SessionSeal>().AddSingleton<ProviderSeal>().AddSingleton<SessionCookie>();
        services.AddSingleton<AuditPurge>().AddHostedService(provider => provider.GetRequiredService<AuditPurge>());
        services
            .AddSingleton<PermitStore>()
            .AddSingleton<SharedLimits>()
            .AddHostedService(provider => provider.GetRequiredService<SharedLimits>())
            .AddSingleton<RateLimits>()
            .AddSingleton<IConfigureOptions<RateLimiterOptions>>(provider => provider.GetRequiredService<RateLimits>());
        services.AddSingleton<IConfigureOptions<JwtBearerOptions>, TokenAuthentication>().AddSingleton<TokenReader>();
        services
            .AddSingleton<ProviderSignIn>()
            .AddSingleton<IConfigureOptions<OpenIdConnectOptions>>(provider =>
                provider.GetRequiredService<ProviderSignIn>()
            );
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>, ForgottenKeys>();
        services
            .AddAuthentication(Either)
            .AddPolicyScheme(Either, displayName: null, schemes => schemes.ForwardDefaultSelector = SelectScheme)
            .AddScheme<AuthenticationSchemeOptions, KeyAuthentication>(
                KeyAuthentication.SchemeName,
                configureOptions: null
            )
            .AddJwtBearer()
            .AddOpenIdConnect();
        services
            .AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().AddRequirements(new AccessRules.Requirement()).Build());
        services
            .AddSingleton<IAuthorizationHandler, AccessRules>()
            .AddSingleton<IAuthorizationMiddlewareResultHandler, AccessResultHandler>();
        return services.AddRateLimiter(_ => { });
    }

    public static void MapAccess(this IEndpointRouteBuilder routes)
    {
        routes.MapKeys();
        routes.MapSession();
        routes.MapAudit();
    }

    /// <summary>
    /// Authentication comes before rate limiting because requests are counted per caller. Refused requests change
    /// nothing, so they leave no audit entry.
    /// </summary>
    public static void UseAccess(this IApplicationBuilder app)
    {
        var services = app.ApplicationServices;
        // It looks at every request, and refuses to do so without settings.
        if (!services.GetRequiredService<IOptions<AccessOptions>>().Value.Oidc.IsForBrowsers)
            services
                .GetRequiredService<IAuthenticationSchemeProvider>()
                .RemoveScheme(OpenIdConnectDefaults.AuthenticationScheme);
        app.UseAuthentication().UseRateLimiter().UseAuthorization().UseMiddleware<AuditMiddleware>();
    }

    /// <summary>
    /// Sends requests to the scheme of the protocol that they speak, and tokens to the identity provider's scheme if one is
    /// configured. Everything else, and every request while access is open, goes to the key scheme.
    /// </summary>
    private static string SelectScheme(HttpContext context)
    {
        if (
            context.GetEndpoint()?.Metadata.GetMetadata<ProtocolScheme>() is { } protocol
            && protocol.Applies(context.Request)
        )
            return protocol.Name;
        var options = context.RequestServices.GetRequiredService<IOptions<AccessOptions>>().Value;
        return
            options is { Oidc.IsConfigured: true, Access: not AccessMode.Open }
            && !KeyAuthentication.AllowsAnonymous(context)
            && KeyAuthentication.GetCredential(context.Request) is { } text
            && !text.StartsWith(KeyText.Prefix, StringComparison.Ordinal)
            ? JwtBearerDefaults.AuthenticationScheme
            : KeyAuthentication.SchemeName;
    }
}
