using PaDiM.Imaging.Decoding;

namespace PaDiM.Cli.Watch;

/// <summary>
/// Finds files that have arrived in a folder. It looks at the folder again and again: network shares report no changes, and
/// reports get lost when there are many. A file has arrived when its size and its time have not changed for a while.
/// </summary>
/// <param name="folder">The folder; subfolders do not count.</param>
/// <param name="settle">How long a file must not change.</param>
/// <param name="time">The clock.</param>
internal sealed class ArrivedFiles(string folder, TimeSpan settle, TimeProvider time)
{
    private readonly Dictionary<string, Seen> _seen = new(StringComparer.Ordinal);

    /// <summary>Takes the files that are there now as done, as long as they do not change.</summary>
    public void PassOver()
    {
        foreach (var file in List())
            _seen[file.FullName] = new Seen(GetState(file), time.GetTimestamp(), IsDone: true);
    }

    /// <summary>Gets the files that have arrived since the last call, oldest first.</summary>
    /// <exception cref="DirectoryNotFoundException">The folder is gone.</exception>
    public IReadOnlyList<FileInfo> Take()
    {
        var arrived = new List<FileInfo>();
        var present = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in List().OrderBy(file => file.LastWriteTimeUtc).ThenBy(file => file.Name))
        {
            present.Add(file.FullName);
            var state = GetState(file);
            if (!_seen.TryGetValue(file.FullName, out var seen) || seen.State != state)
                _seen[file.FullName] = new Seen(state, time.GetTimestamp(), IsDone: false);
            else if (!seen.IsDone && state.Length > 0 && time.GetElapsedTime(seen.Since) >= settle)
            {
                _seen[file.FullName] = seen with { IsDone = true };
                arrived.Add(file);
            }
        }
        foreach (var gone in _seen.Keys.Where(path => !present.Contains(path)).ToArray())
            _seen.Remove(gone);
        return arrived;
    }

    /// <summary>Forgets that a file has arrived, so that it arrives again.</summary>
    public void PutBack(FileInfo file) => _seen.Remove(file.FullName);

    private IEnumerable<FileInfo> List() =>
        new DirectoryInfo(folder)
            .EnumerateFiles()
            .Where(file => !file.Name.StartsWith('.') && ImageFormats.HasImageExtension(file.FullName));

    private static (long Length, DateTime Written) GetState(FileInfo file) => (file.Length, file.LastWriteTimeUtc);

    private sealed record Seen((long Length, DateTime Written) State, long Since, bool IsDone);
}
