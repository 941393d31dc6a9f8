using System.Security.Cryptography;

namespace PaDiM.Engine.Files;

/// <summary>Computes the hash that identifies a file.</summary>
public static class FileHash
{
    /// <summary>Computes the SHA-256 of a file's bytes, lower-case hexadecimal. Reads the file in pieces.</summary>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Access is denied, or the path is a directory.</exception>
    public static string Compute(string path)
    {
        using var stream = File.OpenRead(path);
        return Compute(stream);
    }

    /// <summary>Computes the SHA-256 of the rest of a stream, lower-case hexadecimal.</summary>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static string Compute(Stream stream) => Convert.ToHexStringLower(SHA256.HashData(stream));

    /// <summary>Computes the SHA-256 of bytes, lower-case hexadecimal.</summary>
    public static string Compute(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>Computes the SHA-256 that a file would have, without writing it.</summary>
    /// <param name="write">Writes the content.</param>
    public static string Compute(Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        using var hashing = new HashingStream(Stream.Null);
        write(hashing);
        return hashing.GetSha256();
    }
}
