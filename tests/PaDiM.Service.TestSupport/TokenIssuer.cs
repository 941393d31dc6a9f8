using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace PaDiM.Service.TestSupport;

/// <summary>An identity provider on this machine: discovery, a key set, and tokens as the test wants them.</summary>
internal sealed class TokenIssuer : IAsyncDisposable
{
    public const string Audience = "padim",
        Client = "padim-console",
        Secret = "secret-of-the-client";

    private readonly ConcurrentDictionary<string, (string Nonce, string Challenge, string Address)> _codes = [];
    private readonly WebApplication _app;
    private readonly RSA _rsa = RSA.Create(2048);

    private TokenIssuer()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.MapGet(
            "/.well-known/openid-configuration",
            () =>
                new
                {
                    issuer = Authority,
                    jwks_uri = $"{Authority}/keys",
                    authorization_endpoint = $"{Authority}/authorize",
                    token_endpoint = $"{Authority}/token",
                }
        );
        _app.MapGet("/authorize", Authorize);
        _app.MapPost("/token", RedeemAsync);
        _app.MapGet(
            "/keys",
            () =>
            {
                var shown = _rsa.ExportParameters(includePrivateParameters: false);
                return new
                {
                    keys = new[]
                    {
                        new
                        {
                            kty = "RSA",
                            use = "sig",
                            kid = "one",
                            n = Base64Url.EncodeToString(shown.Modulus),
                            e = Base64Url.EncodeToString(shown.Exponent),
                        },
                    },
                };
            }
        );
    }

    /// <summary>The access token of the person who signs in next.</summary>
    public string? SignedIn { get; set; }

    public string Authority => _app.Urls.Single();

    /// <summary>The settings of a service that takes these tokens.</summary>
    public (string Option, object Value)[] Options => [("Oidc:Authority", Authority), ("Oidc:Audience", Audience)];

    /// <summary>The settings of a service where browsers sign in, too.</summary>
    public (string Option, object Value)[] BrowserOptions =>
        [.. Options, ("Oidc:ClientId", Client), ("Oidc:ClientSecret", Secret)];

    public static async Task<TokenIssuer> StartAsync()
    {
        var issuer = new TokenIssuer();
        await issuer._app.StartAsync();
        return issuer;
    }

    /// <summary>A token; what is not said is right.</summary>
    public string Token(
        object? scope,
        string audience = Audience,
        DateTime? expires = null,
        string? issuer = null,
        string[]? categories = null,
        SigningCredentials? signed = null,
        string? nonce = null
    )
    {
        var claims = new Dictionary<string, object> { ["sub"] = "robot" };
        if (nonce is not null)
            claims["nonce"] = nonce;
        if (scope is not null)
            claims["scope"] = scope;
        if (categories is not null)
            claims["padim_categories"] = categories;
        var end = expires ?? DateTime.UtcNow.AddMinutes(10);
        return new JsonWebTokenHandler().CreateToken(
            new SecurityTokenDescriptor
            {
                Issuer = issuer ?? Authority,
                Audience = audience,
                Claims = claims,
                Expires = end,
                NotBefore = end.AddHours(-1),
                IssuedAt = end.AddHours(-1),
                SigningCredentials =
                    signed
                    ?? new SigningCredentials(new RsaSecurityKey(_rsa) { KeyId = "one" }, SecurityAlgorithms.RsaSha256),
            }
        );
    }

    /// <summary>Everybody who is sent here is signed in at once.</summary>
    private IResult Authorize(HttpRequest request)
    {
        string Get(string name) => request.Query[name].ToString();
        Assert.Equal(("code", "S256", Client), (Get("response_type"), Get("code_challenge_method"), Get("client_id")));
        var code = Guid.NewGuid().ToString("N");
        _codes[code] = (Get("nonce"), Get("code_challenge"), Get("redirect_uri"));
        return Results.Redirect(
            QueryHelpers.AddQueryString(
                Get("redirect_uri"),
                new Dictionary<string, string?> { ["code"] = code, ["state"] = Get("state") }
            )
        );
    }

    private async Task<IResult> RedeemAsync(HttpRequest request)
    {
        var form = await request.ReadFormAsync();
        var verifier = SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString()));
        if (
            form["client_secret"] != Secret
            || !_codes.TryRemove(form["code"].ToString(), out var known)
            || known.Challenge != Base64Url.EncodeToString(verifier)
            || known.Address != form["redirect_uri"]
        )
            return Results.Json(new { error = "invalid_grant" }, statusCode: 400);
        return Results.Json(
            new
            {
                access_token = SignedIn,
                id_token = Token(scope: null, audience: Client, nonce: known.Nonce),
                token_type = "Bearer",
            }
        );
    }

    /// <summary>The same token with no signature at all.</summary>
    public static string Unsigned(string token) =>
        $"{Base64Url.EncodeToString("""{"alg":"none","typ":"JWT"}"""u8)}.{token.Split('.')[1]}.";

    /// <summary>A token whose signature was made with the public key as a shared secret.</summary>
    public string SignedWithPublicKey() =>
        Token(
            "admin",
            signed: new SigningCredentials(
                new SymmetricSecurityKey(_rsa.ExportSubjectPublicKeyInfo()) { KeyId = "one" },
                SecurityAlgorithms.HmacSha256
            )
        );

    /// <summary>Somebody else's key of the same name.</summary>
    public string SignedByAnother()
    {
        using var other = RSA.Create(2048);
        return Token(
            "admin",
            signed: new SigningCredentials(
                new RsaSecurityKey(other.ExportParameters(true)) { KeyId = "one" },
                SecurityAlgorithms.RsaSha256
            )
        );
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _rsa.Dispose();
    }
}
