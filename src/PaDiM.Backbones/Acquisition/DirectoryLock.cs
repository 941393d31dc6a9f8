namespace PaDiM.Backbones.Acquisition;

/// <summary>
/// The right to change a backbone directory: one process at a time has it, and the system takes it back from one that
/// dies. Disposing gives it back.
/// </summary>
internal sealed class DirectoryLock : IDisposable
{
    /// <summary>
    /// What tells that another process has the file: EWOULDBLOCK of Linux and of macOS, ERROR_SHARING_VIOLATION of
    /// Windows.
    /// </summary>
    private static readonly int[] SharingViolations = [11, 35, unchecked((int)0x80070020)];

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);
    private readonly FileStream _file;

    private DirectoryLock(FileStream held) => _file = held;

    /// <summary>Waits for it. The directory is created when absent.</summary>
    /// <exception cref="IOException">The directory cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be written to.</exception>
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
