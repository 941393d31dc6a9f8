using System.Security.Cryptography;
using PaDiM.Engine.Files;

namespace PaDiM.Service.Objects;

/// <summary>
/// Copies of objects on this machine, named by their hash, within a budget of bytes. The least recently used are
/// removed; one that is larger than the budget stays until the next one comes. A copy has its name only when it is
/// complete and has the hash. Thread-safe.
/// </summary>
internal sealed class LocalCopies
{
    private static readonly TimeSpan LeftoverAge = TimeSpan.FromHours(1);

    private readonly string _folder;
    private readonly long _budget;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Copy> _copies = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Task> _downloads = new(StringComparer.Ordinal);

    public LocalCopies(string folder, long budget, TimeProvider time)
    {
        _folder = folder;
        _budget = budget;
        _time = time;
        Directory.CreateDirectory(folder);
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles())
            if (!file.Name.Contains(AtomicFile.TemporaryMark, StringComparison.Ordinal))
                _copies[file.Name] = new Copy(file.Length, file.LastWriteTimeUtc);
            else if (time.GetUtcNow().UtcDateTime - file.LastWriteTimeUtc > LeftoverAge)
                // Another process of this machine may be writing a younger one.
                file.Delete();
        Evict(keep: null);
    }

    /// <summary>Gets the bytes of all copies.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
                return _copies.Values.Sum(copy => copy.Length);
        }
    }

    /// <summary>Opens a copy. If there is none, it is downloaded once for all who wait for it.</summary>
    /// <param name="sha256">The hash of its bytes.</param>
    /// <param name="download">Writes the bytes.</param>
    /// <param name="cancellationToken">Stops the wait, and not the download.</param>
    /// <exception cref="InvalidDataException">The downloaded bytes have another hash.</exception>
    public async Task<FileStream> OpenAsync(
        string sha256,
        Func<Stream, Task> download,
        CancellationToken cancellationToken
    )
    {
        for (; ; )
        {
            if (TryOpen(sha256) is { } file)
                return file;
            Task running;
            lock (_gate)
            {
                if (!_downloads.TryGetValue(sha256, out running!))
                    _downloads[sha256] = running = DownloadAsync(sha256, download);
            }
            await running.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Writes a file that becomes a copy when it is stored.</summary>
    /// <param name="write">Writes the content.</param>
    /// <param name="store">Stores the file, given its path, length and hash.</param>
    public async Task<(long Bytes, string Sha256)> AddAsync(
        Func<Stream, Task> write,
        Func<string, long, string, Task> store
    )
    {
        var path = CreateTemporaryPath();
        try
        {
            var (bytes, sha256) = await AtomicFile.WriteHashedAsync(path, write);
            await store(path, bytes, sha256);
            Keep(path, sha256, bytes);
            return (bytes, sha256);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Removes a copy. Returns whether there was one.</summary>
    public bool Drop(string sha256)
    {
        lock (_gate)
        {
            if (!_copies.Remove(sha256))
                return false;
            TryDelete(GetPath(sha256));
            return true;
        }
    }

    private FileStream? TryOpen(string sha256)
    {
        lock (_gate)
        {
            if (!_copies.TryGetValue(sha256, out var copy))
                return null;
            try
            {
                var file = new FileStream(
                    GetPath(sha256),
                    FileMode.Open,
                    FileAccess.Read,
                    FileShare.Read | FileShare.Delete,
                    1 << 16,
                    FileOptions.SequentialScan
                );
                var now = _time.GetUtcNow().UtcDateTime;
                _copies[sha256] = copy with { UsedAt = now };
                // The next process finds the order of use in the times of the files.
                File.SetLastWriteTimeUtc(GetPath(sha256), now);
                return file;
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                _copies.Remove(sha256);
                return null;
            }
        }
    }

    private async Task DownloadAsync(string sha256, Func<Stream, Task> download)
    {
        // Nothing of it runs under the lock of the caller.
        await Task.Yield();
        var path = CreateTemporaryPath();
        try
        {
            // A connection may damage bytes too: only what arrives twice is what the store has.
            for (var attempt = 1; ; attempt++)
            {
                var (bytes, found) = await WriteAsync(path, download);
                if (found == sha256)
                {
                    Keep(path, sha256, bytes);
                    return;
                }
                if (attempt == 2)
                    throw new InvalidDataException($"The stored object has the hash {found} instead of {sha256}.");
            }
        }
        finally
        {
            File.Delete(path);
            lock (_gate)
                _downloads.Remove(sha256);
        }
    }

    private static async Task<(long Bytes, string Sha256)> WriteAsync(string path, Func<Stream, Task> download)
    {
        await using var file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        await download(file);
        await file.FlushAsync();
        file.Position = 0;
        return (file.Length, Convert.ToHexStringLower(await SHA256.HashDataAsync(file)));
    }

    private void Keep(string path, string sha256, long bytes)
    {
        AtomicFile.Move(path, GetPath(sha256));
        lock (_gate)
        {
            _copies[sha256] = new Copy(bytes, _time.GetUtcNow().UtcDateTime);
            Evict(sha256);
        }
    }

    private void Evict(string? keep)
    {
        var total = _copies.Values.Sum(copy => copy.Length);
        foreach (var (sha256, copy) in _copies.OrderBy(pair => pair.Value.UsedAt).ToArray())
        {
            if (total <= _budget)
                return;
            if (sha256 == keep || !TryDelete(GetPath(sha256)))
                continue;
            _copies.Remove(sha256);
            total -= copy.Length;
        }
    }

    private static bool TryDelete(string path)
    {
        try
        {
            File.Delete(path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // On Windows, a file that somebody reads stays until later.
            return false;
        }
    }

    private string CreateTemporaryPath() => Path.Combine(_folder, $"copy{AtomicFile.TemporaryMark}{Guid.NewGuid():n}");

    private string GetPath(string sha256) => Path.Combine(_folder, sha256);

    private readonly record struct Copy(long Length, DateTime UsedAt);
}
