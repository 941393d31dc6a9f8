using PaDiM.Engine.Files;
using PaDiM.Service.Objects;

namespace PaDiM.Service.Data;

/// <summary>
/// Images and masks, named by their hash. A blob is stored before any row refers to it. The sweep later deletes
/// unreferenced blobs; they are never deleted at once.
/// </summary>
internal sealed class BlobStore(IObjectStore objects)
{
    /// <summary>Gets whether blobs are files of the data directory, so that they are read without a wait.</summary>
    public bool IsLocal => objects.IsLocal;

    /// <summary>
    /// Stores bytes and returns their SHA-256 in lower-case hexadecimal. The same bytes are stored once.
    /// </summary>
    public async ValueTask<string> PutAsync(byte[] bytes, CancellationToken cancellationToken)
    {
        var sha256 = FileHash.Compute(bytes);
        await objects.PutAsync(GetKey(sha256), bytes, sha256, cancellationToken);
        return sha256;
    }

    /// <summary>Gets all bytes of a blob; null if it is missing or damaged.</summary>
    public async ValueTask<byte[]?> ReadAsync(string sha256, CancellationToken cancellationToken)
    {
        try
        {
            var bytes = await objects.ReadAsync(GetKey(sha256), cancellationToken);
            return FileHash.Compute(bytes) == sha256 ? bytes : null;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Gets whether there is a blob, damaged or not.</summary>
    public async ValueTask<bool> ExistsAsync(string sha256, CancellationToken cancellationToken) =>
        await objects.FindAsync(GetKey(sha256), cancellationToken) is not null;

    /// <summary>
    /// Keeps a blob from the sweeper for a while: a running fit or evaluation may still read it when its row is gone.
    /// </summary>
    public async ValueTask RenewAsync(string sha256, CancellationToken cancellationToken) =>
        await objects.RenewAsync(GetKey(sha256), cancellationToken);

    /// <summary>Gets the key of a blob, which is its path within the data directory.</summary>
    public static string GetKey(string sha256) => $"{DataDirectory.ImagesName}/{sha256[..2]}/{sha256}";
}
