using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>
/// Seals what an identity provider said about a person into the cookie of a session, and opens it again. The secret of the
/// client is where the key comes from: every replica has it, nothing is stored, and a new secret ends all sessions.
/// </summary>
internal sealed class ProviderSeal(IOptions<AccessOptions> options, TimeProvider time)
{
    /// <summary>Tells these sessions from those with a key, whose identifiers are hexadecimal.</summary>
    private const string Prefix = "oidc.";

    /// <summary>Browsers keep cookies of 4096 bytes, with their names and attributes.</summary>
    private const int MaxLength = 3800;

    private static readonly byte[] Context = "padim provider session 1"u8.ToArray();

    public static bool Recognises(string text) => text.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Gets a secret of the client for one purpose.</summary>
    public static byte[] DeriveSecret(OidcOptions oidc, string purpose) =>
        HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            Encoding.UTF8.GetBytes(oidc.ClientSecret!),
            outputLength: SealedBox.KeySize,
            salt: Encoding.UTF8.GetBytes($"{oidc.Authority} {oidc.ClientId}"),
            info: Encoding.ASCII.GetBytes(purpose)
        );

    /// <summary>Seals a caller; null if their categories do not fit into a cookie.</summary>
    public string? Seal(Caller caller, DateTimeOffset until)
    {
        var plain = JsonSerializer.SerializeToUtf8Bytes(
            new Content(caller.Name, caller.Scope, caller.Categories?.ToArray(), until.ToUnixTimeSeconds())
        );
        var text = Prefix + Base64Url.EncodeToString(SealedBox.Seal(GetKey(), plain, Context));
        return text.Length <= MaxLength ? text : null;
    }

    /// <summary>Gets the caller that is sealed in a text.</summary>
    public Outcome<Caller> Open(string text)
    {
        if (
            !options.Value.Oidc.IsForBrowsers
            || text.Length > MaxLength
            || !Base64Url.IsValid(text.AsSpan(Prefix.Length))
            || SealedBox.TryOpen(GetKey(), Base64Url.DecodeFromChars(text.AsSpan(Prefix.Length)), Context)
                is not { } plain
            || JsonSerializer.Deserialize<Content>(plain) is not { } content
            || DateTimeOffset.FromUnixTimeSeconds(content.Until) <= time.GetUtcNow()
        )
            return Problems.SessionExpired();
        return new Caller(content.Name, keyId: null, content.Scope, content.Categories);
    }

    private byte[] GetKey() => DeriveSecret(options.Value.Oidc, "session");

    private sealed record Content(string Name, AccessScope? Scope, string[]? Categories, long Until);
}
