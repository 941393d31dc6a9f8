namespace PaDiM.Service.Objects;

/// <summary>
/// Where images, masks and models are stored: files that never change, under keys such as <c>images/ab/abcd…</c>. An
/// object is there completely or not at all. Methods throw <see cref="FileNotFoundException"/> for a missing object,
/// another <see cref="IOException"/> where a disk fails, and <see cref="ObjectStoreAwayException"/> where a store in the
/// network does.
/// </summary>
internal interface IObjectStore
{
    /// <summary>
    /// Gets whether objects are files of the data directory. Methods of a local store complete before they return.
    /// </summary>
    bool IsLocal { get; }

    /// <summary>Finds out whether the store can be used.</summary>
    /// <exception cref="InvalidDataException">The settings cannot be right.</exception>
    Task PrepareAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Gets whether models can be opened without a store in the network: there are copies of some on this machine.
    /// </summary>
    bool HasCopies { get; }

    /// <summary>Finds out whether the store responds. Asks it only if it has not responded in the last seconds.</summary>
    Task CheckAsync();

    /// <summary>Gets an object without reading it; null if there is none.</summary>
    ValueTask<StoredObject?> FindAsync(string key, CancellationToken cancellationToken);

    /// <summary>
    /// Indicates without reading an object whether it was replaced, where that costs nothing; otherwise the default
    /// value.
    /// </summary>
    FileStamp GetStamp(string key);

    /// <summary>Reads all bytes of a small object.</summary>
    ValueTask<byte[]> ReadAsync(string key, CancellationToken cancellationToken);

    /// <summary>Opens an object to read it once, from its beginning to its end.</summary>
    ValueTask<Stream> OpenAsync(string key, CancellationToken cancellationToken);

    /// <summary>Opens a file on this machine that has the bytes of an object.</summary>
    /// <param name="key">The object.</param>
    /// <param name="sha256">The hash that its bytes should have; null if it is not known. The caller verifies it.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="InvalidDataException">The store has other bytes than it says.</exception>
    ValueTask<FileStream> OpenFileAsync(string key, string? sha256, CancellationToken cancellationToken);

    /// <summary>
    /// Removes a copy on this machine that turned out to be damaged. Returns whether there was one, so that the object
    /// is worth another look.
    /// </summary>
    bool DropCopy(string sha256);

    /// <summary>
    /// Stores bytes whose hash is part of the key. An object that is there already is renewed, and repaired if it is
    /// damaged.
    /// </summary>
    ValueTask PutAsync(string key, ReadOnlyMemory<byte> bytes, string sha256, CancellationToken cancellationToken);

    /// <summary>Stores an object of any size.</summary>
    /// <param name="key">A key that was never used before, or that of an object to replace.</param>
    /// <param name="write">Writes the content, without seeking. Nothing is stored if it throws.</param>
    /// <param name="replace">Whether there may be an object, which is damaged.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>The length of the object, and its SHA-256, lower-case hexadecimal.</returns>
    ValueTask<(long Bytes, string Sha256)> WriteAsync(
        string key,
        Func<Stream, Task> write,
        bool replace,
        CancellationToken cancellationToken
    );

    /// <summary>
    /// Renews the time stamp of an object, which keeps it from the sweeper for a while. Returns false if there is none.
    /// </summary>
    ValueTask<bool> RenewAsync(string key, CancellationToken cancellationToken);

    /// <summary>Gets all objects whose keys have a prefix, in no order.</summary>
    IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Deletes an object whose key is never used again; has no effect if there is none.</summary>
    ValueTask DeleteAsync(string key, CancellationToken cancellationToken);

    /// <summary>
    /// Deletes objects that nothing refers to. An object that is put or renewed meanwhile, by any replica, is not lost.
    /// </summary>
    /// <param name="keys">The objects to delete.</param>
    /// <param name="before">Objects that were put or renewed since then stay.</param>
    /// <param name="getReferenced">Gets whether something refers to a key. Called when no other replica can put one of the
    /// objects any more without noticing the deletion.</param>
    /// <param name="cancellationToken">Stops between two objects.</param>
    /// <returns>The number of deleted objects.</returns>
    ValueTask<int> SweepAsync(
        IReadOnlyCollection<string> keys,
        DateTime before,
        Func<CancellationToken, Task<Predicate<string>>> getReferenced,
        CancellationToken cancellationToken
    );
}

/// <summary>An object of a store.</summary>
/// <param name="Key">Its key, with slashes.</param>
/// <param name="Length">Number of bytes.</param>
/// <param name="PutAt">When it was put or renewed last, by the clock of the store.</param>
/// <param name="Sha256">The hash of its bytes that the store keeps beside it; null where it keeps none.</param>
internal sealed record StoredObject(string Key, long Length, DateTime PutAt, string? Sha256 = null);

/// <summary>
/// Indicates without reading a file whether it was written or replaced; the default value if the file does not exist.
/// </summary>
internal readonly record struct FileStamp(long Length, DateTime WrittenAt, DateTime CreatedAt)
{
    public static FileStamp FromFile(string path) =>
        new FileInfo(path) is { Exists: true } file
            ? new FileStamp(file.Length, file.LastWriteTimeUtc, file.CreationTimeUtc)
            : default;
}
