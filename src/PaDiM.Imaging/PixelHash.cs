using System.Buffers.Binary;
using System.Security.Cryptography;

namespace PaDiM.Imaging;

/// <summary>Identifies what an image shows, whatever file it came from.</summary>
public static class PixelHash
{
    /// <summary>Computes the SHA-256 of the size and the pixels of an image, lower-case hexadecimal.</summary>
    public static string Compute(RgbImage image)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> size = stackalloc byte[2 * sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(size, image.Width);
        BinaryPrimitives.WriteInt32LittleEndian(size[sizeof(int)..], image.Height);
        hash.AppendData(size);
        hash.AppendData(image.Pixels);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
