using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>Authenticates callers by tokens of an identity provider (OpenID Connect).</summary>
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
        // Only asymmetric algorithms. This excludes unsigned tokens, and tokens signed with the public key as an HMAC
        // secret.
        jwt.TokenValidationParameters.ValidAlgorithms = Algorithms;
        jwt.Events = new JwtBearerEvents
        {
            OnTokenValidated = context =>
            {
                context.Principal = new ClaimsPrincipal(CreateCaller(context.Principal!, oidc));
                return Task.CompletedTask;
            },
            OnAuthenticationFailed = async context =>
            {
                var problem = await GetProblemAsync(context);
                RefusedCredential.Fail(context.HttpContext, problem);
                context.Fail(problem.Detail);
            },
        };
    }

    private static Caller CreateCaller(ClaimsPrincipal token, OidcOptions oidc)
    {
        var subject =
            token.FindFirstValue("sub")
            ?? token.FindFirstValue("client_id")
            ?? token.FindFirstValue("azp")
            ?? "unknown";
        var scopes = GetValues(token, oidc.ScopeClaim)
            .Select(text =>
                Choice<AccessScope>.TryParse(text, provider: null, out var scope) ? scope.Value : (AccessScope?)null
            );
        // A claim that is present but empty grants no category.
        string[]? categories = token.HasClaim(claim => claim.Type == oidc.CategoriesClaim)
            ? [.. GetValues(token, oidc.CategoriesClaim)]
            : null;
        return new Caller($"token:{subject}", keyId: null, scopes.Max(), categories);
    }

    /// <summary>Claims are JSON lists, or words in one string.</summary>
    private static IEnumerable<string> GetValues(ClaimsPrincipal token, string claim) =>
        token.FindAll(claim).SelectMany(found => found.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>
    /// An unreachable issuer looks like an invalid signature. Requesting its configuration tells the two apart.
    /// </summary>
    private static async Task<Problem> GetProblemAsync(AuthenticationFailedContext context)
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
