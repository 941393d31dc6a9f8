using System.Runtime.InteropServices;

namespace PaDiM.Engine.Files;

/// <summary>
/// Writes files atomically: a reader sees the whole file or none of it, and so does the machine after a power cut.
/// Writes a temporary file in the same directory, flushes it to the disk, renames it, and flushes the directory.
/// </summary>
public static partial class AtomicFile
{
    /// <summary>Part of the name of every temporary file, by which leftovers of a crash are found.</summary>
    public const string TemporaryMark = ".tmp-";

    /// <summary>Writes a file; replaces an existing one. Creates the directory if needed.</summary>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="durable">Whether to flush to the disk. A cache whose readers verify its files does not need it: a
    /// file damaged by a power cut is recomputed.</param>
    /// <exception cref="IOException">The file could not be written and has its old content, or the new content if only
    /// the directory could not be flushed. The temporary file is deleted.</exception>
    public static void Write(string path, Action<Stream> write, bool durable = true)
    {
        ArgumentNullException.ThrowIfNull(write);
        WriteAsync(
                path,
                stream =>
                {
                    write(stream);
                    return Task.CompletedTask;
                },
                durable
            )
            .GetAwaiter()
            .GetResult();
    }

    /// <summary>
    /// Writes a file as <see cref="Write"/> does. Completes before it returns if the content does.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="durable">Whether to flush to the disk.</param>
    /// <exception cref="IOException">As for <see cref="Write"/>.</exception>
    public static async Task WriteAsync(string path, Func<Stream, Task> write, bool durable = true)
    {
        ArgumentNullException.ThrowIfNull(write);
        var directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(directory);
        var temporary = $"{path}{TemporaryMark}{Guid.NewGuid():n}";
        try
        {
            using (
                var stream = new FileStream(
                    temporary,
                    FileMode.CreateNew,
                    FileAccess.Write,
                    FileShare.None,
                    bufferSize: 0
                )
            )
            {
                await write(stream);
                stream.Flush(flushToDisk: durable);
            }
            File.Move(temporary, path, overwrite: true);
            if (durable)
                FlushDirectory(directory);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Writes a file durably, and hashes it meanwhile.</summary>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes the content, without seeking.</param>
    /// <returns>The length of the file, and its SHA-256, lower-case hexadecimal.</returns>
    /// <exception cref="IOException">As for <see cref="Write"/>.</exception>
    public static async Task<(long Bytes, string Sha256)> WriteHashedAsync(string path, Func<Stream, Task> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        long bytes = 0;
        var sha256 = "";
        await WriteAsync(
            path,
            async stream =>
            {
                await using var hashing = new HashingStream(stream);
                await write(hashing);
                bytes = hashing.Length;
                sha256 = hashing.GetSha256();
            }
        );
        return (bytes, sha256);
    }

    /// <summary>Flushes a file that has already been written, and moves it; replaces an existing one.</summary>
    /// <param name="written">The file, on the same file system as the destination.</param>
    /// <param name="path">The destination, in an existing directory.</param>
    /// <exception cref="IOException">The destination has its old content, or the new content if only the directory
    /// could not be flushed.</exception>
    public static void Move(string written, string path)
    {
        using (var stream = new FileStream(written, FileMode.Open, FileAccess.ReadWrite))
            stream.Flush(flushToDisk: true);
        File.Move(written, path, overwrite: true);
        FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>
    /// Flushes a directory. On Unix a rename survives a power cut only after that; Windows does not need it.
    /// </summary>
    private static void FlushDirectory(string directory)
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = Open(directory, 0);
        if (descriptor < 0)
            throw new IOException(
                $"The directory {directory} cannot be opened (errno {Marshal.GetLastPInvokeError()}).",
                Marshal.GetLastPInvokeError()
            );
        var flushed = Fsync(descriptor) == 0;
        var error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        if (!flushed)
            throw new IOException($"The directory {directory} cannot be flushed (errno {error}).", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
