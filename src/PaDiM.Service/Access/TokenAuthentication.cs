using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>Authenticates callers by tokens of an identity provider (OpenID Connect).</summary>
internal sealed class TokenAuthentication(IOptions<AccessOptions> options) : IConfigureNamedOptions<JwtBearerOptions>
{
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
        jwt.BackchannelTimeout = TokenReader.Timeout;
        jwt.TokenValidationParameters.ClockSkew = TokenReader.ClockSkew;
        jwt.TokenValidationParameters.ValidAlgorithms = TokenReader.Algorithms;
        jwt.Events = new JwtBearerEvents
        {
            OnTokenValidated = context =>
            {
                context.Principal = new ClaimsPrincipal(TokenReader.CreateCaller(context.Principal!, oidc));
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
