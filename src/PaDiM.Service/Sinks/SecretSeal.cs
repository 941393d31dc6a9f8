using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using PaDiM.Service.Data;

namespace PaDiM.Service.Sinks;

/// <summary>
/// Seals the secrets of sinks, so that neither the database nor its backups give them away: AES-256-GCM with a key from a
/// file, bound to the name of the sink.
/// </summary>
internal sealed class SecretSeal(IOptions<SinkOptions> options, IOptions<DataOptions> data, DataDirectory directory)
{
    private const int MinKeyLength = 32;
    private static readonly byte[] Purpose = "padim sink secrets 1"u8.ToArray();
    private readonly Lock _gate = new();
    private byte[]? _key;

    /// <summary>Gets why nothing can be sealed; null if it can.</summary>
    public string? FindFault() =>
        options.Value.SinkKeyFile is null && data.Value.Database.Provider == DatabaseProvider.PostgreSql
            ? "Secrets of sinks need a key that all replicas have: write at least 32 random characters to a file, and "
                + "name it with Padim__SinkKeyFile on every replica."
            : null;

    /// <summary>Seals secrets.</summary>
    /// <exception cref="IOException">The key cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The key may not be read.</exception>
    /// <exception cref="InvalidDataException">The key is too short.</exception>
    public string Seal(string sink, SinkSecrets secrets)
    {
        var plain = JsonSerializer.SerializeToUtf8Bytes(secrets, SinkJson.Options);
        return Convert.ToBase64String(SealedBox.Seal(GetKey(), plain, Encoding.UTF8.GetBytes(sink)));
    }

    /// <summary>Opens what was sealed; null if the key is another one or cannot be read.</summary>
    public SinkSecrets? TryOpen(string sink, string text)
    {
        try
        {
            var box = Convert.FromBase64String(text);
            return SealedBox.TryOpen(GetKey(), box, Encoding.UTF8.GetBytes(sink)) is { } plain
                ? JsonSerializer.Deserialize<SinkSecrets>(plain, SinkJson.Options)
                : null;
        }
        catch (Exception e)
            when (e
                    is FormatException
                        or IOException
                        or UnauthorizedAccessException
                        or InvalidDataException
                        or JsonException
            )
        {
            return null;
        }
    }

    private byte[] GetKey()
    {
        lock (_gate)
        {
            if (_key is not null)
                return _key;
            var path = options.Value.SinkKeyFile ?? directory.SinkKey;
            if (options.Value.SinkKeyFile is null && !File.Exists(path))
                Create(path);
            var text = File.ReadAllText(path).Trim();
            if (text.Length < MinKeyLength)
                throw new InvalidDataException($"The key of the sinks has fewer than {MinKeyLength} characters.");
            return _key = HKDF.DeriveKey(
                HashAlgorithmName.SHA256,
                Encoding.UTF8.GetBytes(text),
                SealedBox.KeySize,
                info: Purpose
            );
        }
    }

    /// <summary>Writes a new key whole, before it has its name; another process may be first.</summary>
    private static void Create(string path)
    {
        var temporary = $"{path}.{Guid.NewGuid():n}";
        var mode = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            mode.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(temporary, mode))
        {
            file.Write(Encoding.ASCII.GetBytes(Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))));
            file.Flush(flushToDisk: true);
        }
        try
        {
            File.Move(temporary, path);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(temporary);
        }
    }
}
