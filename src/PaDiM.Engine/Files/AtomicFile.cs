using System.Runtime.InteropServices;

namespace PaDiM.Engine.Files;

/// <summary>
/// Writes a file so that a reader, or a machine that loses power, sees all of it or nothing: temporary file in the same
/// directory, flush to the device, rename, flush of the directory.
/// </summary>
public static partial class AtomicFile
{
    /// <summary>Part of the name of every temporary file; what a crash leaves behind is known by it.</summary>
    public const string TemporaryMark = ".tmp-";

    /// <summary>Writes a file, replacing one of that name. The directory is created when absent.</summary>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes its content.</param>
    /// <param name="durable">Flush to the device. A cache whose readers check a hash does without: a file that a power
    /// cut spoils is made again.</param>
    /// <exception cref="IOException">The temporary file is gone; the file is the old one, or, where only the directory
    /// could not be flushed, the new one.</exception>
    public static void Write(string path, Action<Stream> write, bool durable = true)
    {
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
                write(stream);
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

    /// <summary>Puts a file that is written already in its place, replacing one of that name.</summary>
    /// <param name="written">The file, on the same file system as its place; gone afterwards.</param>
    /// <param name="path">Its place; the directory is there.</param>
    /// <exception cref="IOException">The file is the old one, or, where only the directory could not be flushed, the
    /// new one.</exception>
    public static void Move(string written, string path)
    {
        using (var stream = new FileStream(written, FileMode.Open, FileAccess.ReadWrite))
            stream.Flush(flushToDisk: true);
        File.Move(written, path, overwrite: true);
        FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>
    /// On Unix a rename is only safe once the directory itself has been flushed; Windows needs nothing of the kind.
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
