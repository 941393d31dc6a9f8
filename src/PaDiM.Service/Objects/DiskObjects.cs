using System.Runtime.CompilerServices;
using PaDiM.Engine.Files;

namespace PaDiM.Service.Objects;

/// <summary>Objects as files below a folder. The keys are their paths.</summary>
/// <remarks>All methods complete before they return: a file is read on the thread that asks for it.</remarks>
internal sealed class DiskObjects(string root, TimeProvider time) : IObjectStore
{
    /// <summary>Prevents that an object is renewed between the check of its age and its deletion.</summary>
    private readonly Lock _gate = new();

    public bool IsLocal => true;

    public bool HasCopies => false;

    public Task PrepareAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task CheckAsync() => Task.CompletedTask;

    public ValueTask<StoredObject?> FindAsync(string key, CancellationToken cancellationToken) =>
        new(
            new FileInfo(GetPath(key)) is { Exists: true } file
                ? new StoredObject(key, file.Length, file.LastWriteTimeUtc)
                : null
        );

    public FileStamp GetStamp(string key) => FileStamp.FromFile(GetPath(key));

    public ValueTask<byte[]> ReadAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return new ValueTask<byte[]>(File.ReadAllBytes(GetPath(key)));
        }
        catch (DirectoryNotFoundException e)
        {
            throw new FileNotFoundException(e.Message, GetPath(key), e);
        }
    }

    public ValueTask<Stream> OpenAsync(string key, CancellationToken cancellationToken) => new(Open(key));

    public ValueTask<FileStream> OpenFileAsync(string key, string? sha256, CancellationToken cancellationToken) =>
        new(Open(key));

    public bool DropCopy(string sha256) => false;

    public ValueTask PutAsync(
        string key,
        ReadOnlyMemory<byte> bytes,
        string sha256,
        CancellationToken cancellationToken
    )
    {
        // A damaged file is written again, so uploading the image again repairs it.
        if (!Renew(key) || FileHash.Compute(GetPath(key)) != sha256)
            AtomicFile.Write(GetPath(key), stream => stream.Write(bytes.Span));
        return ValueTask.CompletedTask;
    }

    public async ValueTask<(long Bytes, string Sha256)> WriteAsync(
        string key,
        Func<Stream, Task> write,
        bool replace,
        CancellationToken cancellationToken
    ) => await AtomicFile.WriteHashedAsync(GetPath(key), write);

    public ValueTask<bool> RenewAsync(string key, CancellationToken cancellationToken) => new(Renew(key));

    public async IAsyncEnumerable<StoredObject> ListAsync(
        string prefix,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await Task.CompletedTask;
        var folder = new DirectoryInfo(GetPath(prefix));
        if (!folder.Exists)
            yield break;
        foreach (var file in folder.EnumerateFiles("*", SearchOption.AllDirectories))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return new StoredObject(GetKey(file.FullName), file.Length, file.LastWriteTimeUtc);
        }
    }

    public ValueTask DeleteAsync(string key, CancellationToken cancellationToken)
    {
        if (Directory.Exists(Path.GetDirectoryName(GetPath(key))))
            File.Delete(GetPath(key));
        return ValueTask.CompletedTask;
    }

    public async ValueTask<int> SweepAsync(
        IReadOnlyCollection<string> keys,
        DateTime before,
        Func<CancellationToken, Task<Predicate<string>>> getReferenced,
        CancellationToken cancellationToken
    )
    {
        var isReferenced = await getReferenced(cancellationToken);
        return keys.Count(key => !isReferenced(key) && Remove(key, before));
    }

    private FileStream Open(string key)
    {
        try
        {
            return new FileStream(
                GetPath(key),
                FileMode.Open,
                FileAccess.Read,
                FileShare.Read | FileShare.Delete,
                1 << 16,
                FileOptions.SequentialScan
            );
        }
        catch (DirectoryNotFoundException e)
        {
            throw new FileNotFoundException(e.Message, GetPath(key), e);
        }
    }

    private bool Renew(string key)
    {
        var path = GetPath(key);
        lock (_gate)
        {
            if (!File.Exists(path))
                return false;
            File.SetLastWriteTimeUtc(path, time.GetUtcNow().UtcDateTime);
            return true;
        }
    }

    private bool Remove(string key, DateTime before)
    {
        var path = GetPath(key);
        lock (_gate)
        {
            if (File.GetLastWriteTimeUtc(path) >= before)
                return false;
            File.Delete(path);
            return true;
        }
    }

    private string GetPath(string key) => Path.Combine(root, key.Replace('/', Path.DirectorySeparatorChar));

    private string GetKey(string path) => Path.GetRelativePath(root, path).Replace(Path.DirectorySeparatorChar, '/');
}
