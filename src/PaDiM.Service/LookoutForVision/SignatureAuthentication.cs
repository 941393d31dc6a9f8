using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using PaDiM.Service.Access;
using PaDiM.Service.Http;

namespace PaDiM.Service.LookoutForVision;

/// <summary>
/// Authenticates requests that an AWS SDK has signed. The access key identifier is that of a key of this service; the secret
/// access key and the session token are the key itself. The token is checked as a key in any other header is, and with it
/// the signature: the service stores nothing that a signature could be made from.
/// </summary>
internal sealed class SignatureAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    OpenAccess open,
    KeyRing keys
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "Signature";

    /// <summary>Gets whether a request is signed. A key in another header is enough without it.</summary>
    public static bool Signs(HttpRequest request) =>
        KeyAuthentication.GetCredential(request) is null
        && request
            .Headers.Authorization.ToString()
            .StartsWith(RequestSignature.Algorithm, StringComparison.OrdinalIgnoreCase);

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        // While access is open there is no key that could sign; SDKs sign with whatever they have.
        if (await open.AllowsAsync(Context))
            return Success(Caller.Anonymous);
        return (await VerifyAsync()).Succeeded(out var caller, out var problem)
            ? Success(caller)
            : RefusedCredential.Fail(Context, problem);
    }

    private async Task<Outcome<Caller>> VerifyAsync()
    {
        if (!RequestSignature.Read(Request, TimeProvider.GetUtcNow()).Succeeded(out var signature, out var problem))
            return problem;
        // The key comes first: the body of a stranger is not read.
        if (!(await keys.VerifyAsync(signature.Token, Context.RequestAborted)).Succeeded(out var caller, out problem))
            return problem;
        if (signature.AccessKeyId != caller.KeyId)
            return RequestSignature.Refuse("the access key identifier is not that of the key in X-Amz-Security-Token");
        if (signature.LeavesBodyOut)
            return signature.Matches(signature.Token, signature.ClaimedHash!) ? caller : CreateMismatch();
        if (!(await SignedBody.ReadAsync(Context, Context.RequestAborted)).Succeeded(out var body, out problem))
            return problem;
        var hash = RequestSignature.Hash(body.Bytes);
        if (signature.ClaimedHash is { } claimed && !AreEqual(claimed, hash))
            return RequestSignature.Refuse("X-Amz-Content-Sha256 is not the hash of the body");
        return signature.Matches(signature.Token, hash) ? caller : CreateMismatch();
    }

    private static Problem CreateMismatch() =>
        RequestSignature.Refuse(
            "it is not the one that the key gives. The secret access key must be the key itself, and a proxy must pass the "
                + "header Host and the path on as they are"
        );

    private static bool AreEqual(string one, string other) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(one), Encoding.UTF8.GetBytes(other));

    private AuthenticateResult Success(Caller caller) =>
        AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(caller), Scheme.Name));
}
