using PaDiM.Engine.Files;

namespace PaDiM.Service.Data;

/// <summary>
/// Content-addressed files, named by their hash. A blob is written before any row refers to it.
/// The sweep later deletes unreferenced blobs; they are never deleted at once.
/// </summary>
internal sealed class BlobStore(DataDirectory data, TimeProvider time)
{
    /// <summary>Prevents that the same bytes are stored between the check of a file's age and its deletion.</summary>
    private readonly Lock _gate = new();

    /// <summary>
    /// Stores bytes and returns their SHA-256 in lower-case hexadecimal. The same bytes are stored once.
    /// </summary>
    public string Put(byte[] bytes)
    {
        var sha256 = FileHash.Compute(bytes);
        var path = GetPath(sha256);
        // A damaged file is written again, so uploading the image again repairs it.
        if (!Touch(sha256) || Read(sha256) is null)
            AtomicFile.Write(path, stream => stream.Write(bytes));
        return sha256;
    }

    /// <summary>Gets all bytes of a blob; null if it is missing or damaged.</summary>
    public byte[]? Read(string sha256)
    {
        try
        {
            var bytes = File.ReadAllBytes(GetPath(sha256));
            return FileHash.Compute(bytes) == sha256 ? bytes : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>
    /// Removes a file of this store unless it was stored again after the given time. Returns whether it is gone.
    /// </summary>
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

    public string GetPath(string sha256) => Path.Combine(data.Root, GetName(sha256));

    /// <summary>Gets the path of a blob within the data directory.</summary>
    public static string GetName(string sha256) => Path.Combine(DataDirectory.ImagesName, sha256[..2], sha256);

    /// <summary>Gets every blob with the time at which it was last stored.</summary>
    public IEnumerable<(string Sha256, DateTime PutAt, string Path)> List() =>
        Directory
            .EnumerateFiles(data.Images, "*", SearchOption.AllDirectories)
            .Select(path => (Path.GetFileName(path), File.GetLastWriteTimeUtc(path), path));

    /// <summary>
    /// Renews the time stamp of a blob, which keeps it from the sweeper for a while. Returns false if there is none.
    /// </summary>
    public bool Touch(string sha256)
    {
        var path = GetPath(sha256);
        lock (_gate)
        {
            if (!File.Exists(path))
                return false;
            File.SetLastWriteTimeUtc(path, time.GetUtcNow().UtcDateTime);
            return true;
        }
    }
}
