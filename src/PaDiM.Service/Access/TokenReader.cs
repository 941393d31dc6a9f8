using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>Reads what tokens of the identity provider say about their bearers.</summary>
internal sealed class TokenReader(IOptions<AccessOptions> options, IOptionsMonitor<JwtBearerOptions> bearer)
{
    /// <summary>
    /// Only asymmetric algorithms. This excludes unsigned tokens, and tokens signed with the public key as an HMAC secret.
    /// </summary>
    public static readonly string[] Algorithms =
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

    /// <summary>How far the clocks of provider and service may differ.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(1);

    /// <summary>How long the provider may take to answer.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>Checks a token as if its bearer had sent it.</summary>
    /// <returns>The caller; null if the token is not valid.</returns>
    public async Task<Caller?> ReadAsync(string token, CancellationToken cancellationToken)
    {
        var jwt = bearer.Get(JwtBearerDefaults.AuthenticationScheme);
        var provider = await jwt.ConfigurationManager!.GetConfigurationAsync(cancellationToken);
        var parameters = jwt.TokenValidationParameters.Clone();
        parameters.ValidIssuer = provider.Issuer;
        parameters.IssuerSigningKeys = provider.SigningKeys;
        var result = await new JsonWebTokenHandler { MapInboundClaims = false }.ValidateTokenAsync(token, parameters);
        return result.IsValid ? CreateCaller(new ClaimsPrincipal(result.ClaimsIdentity), options.Value.Oidc) : null;
    }

    /// <summary>Gets what the claims of a token allow.</summary>
    public static Caller CreateCaller(ClaimsPrincipal token, OidcOptions oidc)
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
}
