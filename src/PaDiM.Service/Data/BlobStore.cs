using System.Security.Cryptography;
using PaDiM.Engine.Files;
using PaDiM.Service.Maintenance;

namespace PaDiM.Service.Data;

/// <summary>
/// Content-addressed files: the bytes are the name. A blob is written before any row speaks of it; blobs that no row
/// speaks of any more are removed by <see cref="OrphanSweeper"/>, never at once.
/// </summary>
internal sealed class BlobStore(DataDirectory data, TimeProvider time)
{
    /// <summary>Between the look at a file's age and its removal, nobody may put the same bytes anew.</summary>
    private readonly Lock _gate = new();

    /// <summary>
    /// Keeps bytes and gives their SHA-256, lower-case hexadecimal. The same bytes twice are one file.
    /// </summary>
    public string Put(byte[] bytes)
    {
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        var path = PathOf(sha256);
        // A damaged file is written anew: to upload the image again is the way to mend it.
        if (!Touch(sha256) || Read(sha256) is null)
            AtomicFile.Write(path, stream => stream.Write(bytes));
        return sha256;
    }

    /// <summary>All bytes of a blob, or null where they are missing or not what they were.</summary>
    public byte[]? Read(string sha256)
    {
        try
        {
            var bytes = File.ReadAllBytes(PathOf(sha256));
            return Convert.ToHexStringLower(SHA256.HashData(bytes)) == sha256 ? bytes : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Removes a file of this store unless it was put again after a time; tells whether it is gone.</summary>
    public bool Remove(string path, DateTime putBefore)
    {
        lock (_gate)
        {
            if (File.GetLastWriteTimeUtc(path) >= putBefore)
                return false;
            File.Delete(path);
            return true;
        }
    }

    public string PathOf(string sha256) => Path.Combine(data.Root, NameOf(sha256));

    /// <summary>Path of a blob within the data directory.</summary>
    public static string NameOf(string sha256) => Path.Combine(DataDirectory.ImagesName, sha256[..2], sha256);

    /// <summary>Every blob with the time it was last put.</summary>
    public IEnumerable<(string Sha256, DateTime PutAt, string Path)> List() =>
        Directory
            .EnumerateFiles(data.Images, "*", SearchOption.AllDirectories)
            .Select(path => (Path.GetFileName(path), File.GetLastWriteTimeUtc(path), path));

    /// <summary>
    /// Gives a blob a fresh time, which keeps the sweeper away for a while; false when there is none.
    /// </summary>
    public bool Touch(string sha256)
    {
        var path = PathOf(sha256);
        lock (_gate)
        {
            if (!File.Exists(path))
                return false;
            File.SetLastWriteTimeUtc(path, time.GetUtcNow().UtcDateTime);
            return true;
        }
    }
}
