using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>
/// Seals a key into the cookie of a session, and opens it again. It is sealed with a secret that is derived from the
/// stored hash of the key: every replica has it, and nothing more is stored. A stolen cookie does not show the key, and a
/// stolen table of keys is not enough to make a cookie, because that needs the key itself.
/// </summary>
internal sealed class SessionSeal(KeyRing keys, TimeProvider time)
{
    private const int TimeSize = sizeof(long),
        MaxLength = 512;
    private static readonly byte[] Purpose = "padim session 1"u8.ToArray();

    /// <summary>Seals a key that has been verified.</summary>
    /// <returns><c>ID.SEALED</c></returns>
    public static string Seal(string key, DateTimeOffset until)
    {
        var id = KeyText.GetId(key)!;
        var plain = new byte[TimeSize + Encoding.UTF8.GetByteCount(key)];
        BinaryPrimitives.WriteInt64LittleEndian(plain, until.ToUnixTimeSeconds());
        Encoding.UTF8.GetBytes(key, plain.AsSpan(TimeSize));
        var box = SealedBox.Seal(DeriveSecret(KeyText.Hash(key)), plain, Encoding.ASCII.GetBytes(id));
        return $"{id}.{Base64Url.EncodeToString(box)}";
    }

    /// <summary>Gets the caller whose key is sealed in a text.</summary>
    public async ValueTask<Outcome<Caller>> OpenAsync(string text, CancellationToken cancellationToken)
    {
        if (
            text is not { Length: > ApiKey.IdLength + 1 and <= MaxLength }
            || text[ApiKey.IdLength] != '.'
            || await keys.FindHashAsync(text[..ApiKey.IdLength], cancellationToken) is not { } hash
            || Open(text, hash) is not { } plain
            || DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadInt64LittleEndian(plain)) <= time.GetUtcNow()
        )
            return Problems.SessionExpired();
        return await keys.VerifyAsync(Encoding.UTF8.GetString(plain.AsSpan(TimeSize)), cancellationToken);
    }

    private static byte[]? Open(string text, string hash)
    {
        var id = text[..ApiKey.IdLength];
        var sealedText = text.AsSpan(ApiKey.IdLength + 1);
        if (!Base64Url.IsValid(sealedText))
            return null;
        var box = Base64Url.DecodeFromChars(sealedText);
        return SealedBox.TryOpen(DeriveSecret(hash), box, Encoding.ASCII.GetBytes(id)) is { Length: >= TimeSize } plain
            ? plain
            : null;
    }

    private static byte[] DeriveSecret(string hash) =>
        HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            Encoding.ASCII.GetBytes(hash),
            outputLength: SealedBox.KeySize,
            info: Purpose
        );
}
