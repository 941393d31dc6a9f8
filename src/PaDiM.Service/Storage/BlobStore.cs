using System.Security.Cryptography;
using PaDiM.Onnx.Storage;

namespace PaDiM.Service.Storage;

/// <summary>
/// Content-addressed files: the bytes are the name. A blob is written before any row speaks of it; blobs that no row speaks of any more are
/// removed by <see cref="OrphanSweeper"/>, never at once.
/// </summary>
internal sealed class BlobStore(DataDirectory data, TimeProvider time)
{
    /// <summary>Keeps bytes and gives their SHA-256, lower-case hexadecimal. The same bytes twice are one file.</summary>
    public string Put(byte[] bytes)
    {
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        var path = PathOf(sha256);
        // The fresh time keeps the sweeper away until the row that speaks of the blob is there.
        if (File.Exists(path)) File.SetLastWriteTimeUtc(path, time.GetUtcNow().UtcDateTime);
        else AtomicFile.Write(path, stream => stream.Write(bytes));
        return sha256;
    }

    /// <summary>All bytes of a blob.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    public byte[] Read(string sha256) => File.ReadAllBytes(PathOf(sha256));

    public string PathOf(string sha256) => Path.Combine(data.Images, sha256[..2], sha256);

    /// <summary>Every blob with the time it was last put.</summary>
    public IEnumerable<(string Sha256, DateTime PutAt, string Path)> List() =>
        Directory.EnumerateFiles(data.Images, "*", SearchOption.AllDirectories).Select(path => (Path.GetFileName(path), File.GetLastWriteTimeUtc(path), path));
}
