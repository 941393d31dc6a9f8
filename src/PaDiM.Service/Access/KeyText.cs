using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using PaDiM.Service.Data;

namespace PaDiM.Service.Access;

/// <summary>
/// The text of a key, <c>padim_ID_SECRET</c>. The prefix lets secret scanners recognise it, the identifier finds the
/// row, and the secret is 256 random bits. A plain SHA-256 is enough for storage: slow hashes protect guessable
/// secrets, and this one cannot be guessed.
/// </summary>
internal static class KeyText
{
    public const string Prefix = "padim_";
    private const int SecretBytes = 32,
        MaxLength = 128;

    /// <summary>Creates a key and its identifier.</summary>
    public static (string Id, string Text) Create()
    {
        var id = RandomNumberGenerator.GetHexString(ApiKey.IdLength, lowercase: true);
        return (id, $"{Prefix}{id}_{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes))}");
    }

    /// <summary>Gets the identifier in the text of a key; null for any other text.</summary>
    public static string? GetId(string text) =>
        text.Length <= MaxLength
        && text.StartsWith(Prefix, StringComparison.Ordinal)
        && text.Length > Prefix.Length + ApiKey.IdLength
        && text[Prefix.Length + ApiKey.IdLength] == '_'
            ? text.Substring(Prefix.Length, ApiKey.IdLength)
            : null;

    public static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>Compares a key with a stored hash in constant time.</summary>
    public static bool Matches(string text, string sha256) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Hash(text)), Encoding.ASCII.GetBytes(sha256));
}
