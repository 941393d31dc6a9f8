using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>Tokens of an identity provider (OpenID Connect), as another way to say who calls.</summary>
internal sealed class TokenAuthentication(IOptions<AccessOptions> options) : IConfigureNamedOptions<JwtBearerOptions>
{
    private static readonly string[] Algorithms =
    [
        SecurityAlgorithms.RsaSha256,
        SecurityAlgorithms.RsaSha384,
        SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256,
        SecurityAlgorithms.RsaSsaPssSha384,
        SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256,
        SecurityAlgorithms.EcdsaSha384,
        SecurityAlgorithms.EcdsaSha512,
    ];

    public void Configure(JwtBearerOptions options) => Configure(JwtBearerDefaults.AuthenticationScheme, options);

    public void Configure(string? name, JwtBearerOptions jwt)
    {
        var oidc = options.Value.Oidc;
        if (!oidc.IsConfigured)
            return;
        jwt.Authority = oidc.Authority;
        jwt.Audience = oidc.Audience;
        jwt.MapInboundClaims = false;
        jwt.RequireHttpsMetadata = !new Uri(oidc.Authority!).IsLoopback;
        jwt.BackchannelTimeout = TimeSpan.FromSeconds(10);
        jwt.TokenValidationParameters.ClockSkew = TimeSpan.FromMinutes(1);
        // With a list of signatures by key pairs, no token is signed by anybody who has read a public key, or by
        // nobody.
        jwt.TokenValidationParameters.ValidAlgorithms = Algorithms;
        jwt.Events = new JwtBearerEvents
        {
            OnTokenValidated = context =>
            {
                context.Principal = new ClaimsPrincipal(CallerOf(context.Principal!, oidc));
                return Task.CompletedTask;
            },
            OnAuthenticationFailed = async context =>
            {
                var problem = await ExplainAsync(context);
                RefusedCredential.Fail(context.HttpContext, problem);
                context.Fail(problem.Detail);
            },
        };
    }

    private static Caller CallerOf(ClaimsPrincipal token, OidcOptions oidc)
    {
        var subject =
            token.FindFirstValue("sub")
            ?? token.FindFirstValue("client_id")
            ?? token.FindFirstValue("azp")
            ?? "unknown";
        var scopes = Values(token, oidc.ScopeClaim)
            .Select(text =>
                Choice<AccessScope>.TryParse(text, provider: null, out var scope) ? scope.Value : (AccessScope?)null
            );
        // A claim that is there and names nothing opens nothing.
        string[]? categories = token.HasClaim(claim => claim.Type == oidc.CategoriesClaim)
            ? [.. Values(token, oidc.CategoriesClaim)]
            : null;
        return new Caller($"token:{subject}", keyId: null, scopes.Max(), categories);
    }

    /// <summary>Claims are lists in JSON, or words in one text.</summary>
    private static IEnumerable<string> Values(ClaimsPrincipal token, string claim) =>
        token.FindAll(claim).SelectMany(found => found.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>
    /// An issuer that cannot be asked looks like a token that is signed by nobody; the two are told apart by asking it.
    /// </summary>
    private static async Task<Problem> ExplainAsync(AuthenticationFailedContext context)
    {
        if (context.Exception is SecurityTokenExpiredException)
            return Problems.TokenExpired();
        try
        {
            await context.Options.ConfigurationManager!.GetConfigurationAsync(context.HttpContext.RequestAborted);
            return Problems.TokenInvalid();
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or HttpRequestException)
        {
            return Problems.IssuerUnavailable();
        }
    }
}
