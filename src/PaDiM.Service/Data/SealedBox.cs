using System.Security.Cryptography;

namespace PaDiM.Service.Data;

/// <summary>
/// Seals bytes with AES-256-GCM, so that they can be neither read nor changed without the key. A box is a random nonce, the
/// tag, and the encrypted bytes.
/// </summary>
internal static class SealedBox
{
    /// <summary>Number of bytes of a key.</summary>
    public const int KeySize = 32;

    private const int NonceSize = 12,
        TagSize = 16;

    /// <summary>Seals bytes.</summary>
    /// <param name="key">The key, <see cref="KeySize"/> bytes.</param>
    /// <param name="plain">The bytes.</param>
    /// <param name="context">What the box belongs to. It is not in the box, and opens it only if it is the same.</param>
    public static byte[] Seal(byte[] key, ReadOnlySpan<byte> plain, ReadOnlySpan<byte> context)
    {
        var box = new byte[NonceSize + TagSize + plain.Length];
        var nonce = box.AsSpan(0, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagSize);
        aes.Encrypt(nonce, plain, box.AsSpan(NonceSize + TagSize), box.AsSpan(NonceSize, TagSize), context);
        return box;
    }

    /// <summary>Opens a box; null if the key or what it belongs to is another, or a byte has changed.</summary>
    public static byte[]? TryOpen(byte[] key, ReadOnlySpan<byte> box, ReadOnlySpan<byte> context)
    {
        if (box.Length < NonceSize + TagSize)
            return null;
        var plain = new byte[box.Length - NonceSize - TagSize];
        try
        {
            using var aes = new AesGcm(key, TagSize);
            aes.Decrypt(box[..NonceSize], box[(NonceSize + TagSize)..], box.Slice(NonceSize, TagSize), plain, context);
            return plain;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }
}
