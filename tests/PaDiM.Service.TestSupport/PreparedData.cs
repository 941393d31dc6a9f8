using PaDiM.TestSupport;

namespace PaDiM.Service.TestSupport;

/// <summary>
/// Data directories that a service prepared once for the tests of a class; each test changes a copy of its own.
/// </summary>
public sealed class PreparedData : IDisposable
{
    private readonly Dictionary<string, (TempDirectory Folder, object Result)> _prepared = [];

    /// <summary>Copies what was prepared, or prepares it first, and returns what that returned.</summary>
    /// <param name="name">Names the preparation within the class.</param>
    /// <param name="data">An empty or missing folder for the copy.</param>
    /// <param name="prepareAsync">Fills a data directory, and leaves no service running on it.</param>
    internal async Task<T> CopyAsync<T>(string name, string data, Func<string, Task<T>> prepareAsync)
        where T : notnull
    {
        if (!_prepared.TryGetValue(name, out var prepared))
        {
            var folder = new TempDirectory();
            _prepared[name] = prepared = (folder, await prepareAsync(folder.Path));
        }
        foreach (var path in Directory.GetFiles(prepared.Folder.Path, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(data, Path.GetRelativePath(prepared.Folder.Path, path));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(path, copy);
        }
        return (T)prepared.Result;
    }

    public void Dispose()
    {
        foreach (var (folder, _) in _prepared.Values)
            folder.Dispose();
    }
}
