using System.Security.Cryptography;

namespace PaDiM.Onnx.Storage;

/// <summary>The hash that files are known by.</summary>
public static class FileHash
{
    /// <summary>SHA-256 of a file's bytes, lower-case hexadecimal. Reads it piece by piece.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static string Of(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
