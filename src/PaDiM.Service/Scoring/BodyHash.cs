using PaDiM.Engine.Files;

namespace PaDiM.Service.Scoring;

/// <summary>Computes the SHA-256 of a file, beside the decoding of it where that saves time.</summary>
internal sealed class BodyHash
{
    /// <summary>The bytes from which on another thread is worth waking: hashing 256 KB takes 0.3 ms.</summary>
    public const int MinimumBytes = 1 << 18;

    private readonly Lazy<string> _sha256;

    private BodyHash(byte[] bytes) => _sha256 = new Lazy<string>(() => FileHash.Compute(bytes));

    /// <summary>
    /// Gets the hash, lower-case hexadecimal. If no other thread has begun by now, this one computes it: it never waits
    /// behind other work.
    /// </summary>
    public string Sha256 => _sha256.Value;

    /// <summary>Gets whether the hash has been computed.</summary>
    public bool IsComputed => _sha256.IsValueCreated;

    /// <summary>Starts to hash a file.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="threads">The threads that the service may use; a single one hashes later.</param>
    public static BodyHash Start(byte[] bytes, int threads)
    {
        var hash = new BodyHash(bytes);
        if (bytes.Length >= MinimumBytes && threads > 1)
            ThreadPool.UnsafeQueueUserWorkItem(static hash => _ = hash.Sha256, hash, preferLocal: false);
        return hash;
    }
}
