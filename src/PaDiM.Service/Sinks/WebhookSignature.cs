using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace PaDiM.Service.Sinks;

/// <summary>Signs webhooks as Standard Webhooks 1.0 says: HMAC-SHA256 over identifier, time and body.</summary>
internal static class WebhookSignature
{
    private const string Prefix = "whsec_";
    private const int MinBytes = 24,
        MaxBytes = 64;

    /// <summary>Gets whether a text is a secret.</summary>
    public static bool IsSecret(string? text)
    {
        Span<byte> bytes = stackalloc byte[MaxBytes + 3];
        return text is not null
            && text.StartsWith(Prefix, StringComparison.Ordinal)
            && text.Length <= Prefix.Length + 4 * ((MaxBytes + 2) / 3)
            && Convert.TryFromBase64Chars(text.AsSpan(Prefix.Length), bytes, out var length)
            && length is >= MinBytes and <= MaxBytes;
    }

    /// <summary>Gets the value of <c>webhook-signature</c>: one signature per secret.</summary>
    public static string Sign(IEnumerable<string> secrets, string id, long timestamp, ReadOnlySpan<byte> body)
    {
        byte[] signed =
        [
            .. Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}.")),
            .. body,
        ];
        return string.Join(
            ' ',
            secrets.Select(secret =>
                $"v1,{Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(secret[Prefix.Length..]), signed))}"
            )
        );
    }
}
