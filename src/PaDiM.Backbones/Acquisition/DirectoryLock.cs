namespace PaDiM.Backbones.Acquisition;

/// <summary>
/// Represents an exclusive lock on a backbone directory, across processes. The system releases it if the process dies.
/// Dispose releases it.
/// </summary>
internal sealed class DirectoryLock : IDisposable
{
    /// <summary>
    /// The HResults that mean another process has the file open: EWOULDBLOCK on Linux and macOS,
    /// ERROR_SHARING_VIOLATION on Windows.
    /// </summary>
    private static readonly int[] SharingViolations = [11, 35, unchecked((int)0x80070020)];

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);
    private readonly FileStream _file;

    private DirectoryLock(FileStream held) => _file = held;

    /// <summary>Waits for the lock and acquires it. Creates the directory if it does not exist.</summary>
    /// <exception cref="IOException">The directory cannot be created.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to the directory is denied.</exception>
    public static async Task<DirectoryLock> AcquireAsync(string directory, TimeProvider time, CancellationToken stop)
    {
        var path = Path.Combine(Directory.CreateDirectory(directory).FullName, ".lock");
        while (true)
        {
            try
            {
                return new DirectoryLock(
                    new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None)
                );
            }
            catch (IOException e) when (SharingViolations.Contains(e.HResult))
            {
                await Task.Delay(PollInterval, time, stop);
            }
        }
    }

    public void Dispose() => _file.Dispose();
}
