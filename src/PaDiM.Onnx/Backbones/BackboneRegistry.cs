using System.Collections.Concurrent;
using PaDiM.Onnx.Catalogue;

namespace PaDiM.Onnx.Backbones;

/// <summary>
/// The backbones that can be used by name: every <c>NAME.onnx</c> of the built-in directory and of the configured ones,
/// the first of a name winning. Opens one session a backbone, on first use, and keeps it. Thread-safe.
/// </summary>
/// <param name="directories">Searched after the built-in directory, in order; absent ones are passed over.</param>
/// <param name="runtime">Device and threads of the sessions.</param>
public sealed class BackboneRegistry(IEnumerable<string> directories, BackboneRuntime runtime) : IDisposable
{
    /// <summary>Where the program's own backbones lie.</summary>
    public static string BuiltInDirectory { get; } = Path.Combine(AppContext.BaseDirectory, "backbones");

    /// <summary>The backbone that is used where none is named.</summary>
    public const string DefaultName = "tiny";

    private readonly string[] _directories = [BuiltInDirectory, .. directories];
    private readonly ConcurrentDictionary<string, Lazy<Backbone>> _open = new(StringComparer.Ordinal);

    /// <summary>Device and threads of the sessions.</summary>
    public BackboneRuntime Runtime { get; } = runtime;

    /// <summary>
    /// All backbones by name. Reads the directories anew: a file that has just been put there counts.
    /// </summary>
    public IReadOnlyList<BackboneFile> List() =>
        [
            .. _directories
                .Where(Directory.Exists)
                .SelectMany(directory => Directory.EnumerateFiles(directory, "*.onnx").Order(StringComparer.Ordinal))
                .Select(path => new BackboneFile(
                    Path.GetFileNameWithoutExtension(path),
                    path,
                    Path.GetDirectoryName(path) == BuiltInDirectory
                ))
                .DistinctBy(file => file.Name),
        ];

    /// <summary>Finds a backbone by name, or null.</summary>
    public BackboneFile? Find(string name) => List().FirstOrDefault(file => file.Name == name);

    /// <summary>Names of the backbones whose sessions are open.</summary>
    public IReadOnlyList<string> OpenNames =>
        [.. _open.Where(pair => pair.Value is { IsValueCreated: true }).Select(pair => pair.Key)];

    /// <summary>The session of a backbone, opened on first use (tens of milliseconds to seconds).</summary>
    /// <exception cref="KeyNotFoundException">No directory holds it.</exception>
    /// <exception cref="InvalidDataException">Its file or manifest is unusable, with a sentence that says
    /// why.</exception>
    public Backbone Open(string name)
    {
        var session = _open.GetOrAdd(
            name,
            key => new Lazy<Backbone>(() =>
                Backbone.Load(
                    Find(key) ?? throw new KeyNotFoundException(BackboneCatalogue.Known.DescribeMissing(key)),
                    Runtime
                )
            )
        );
        try
        {
            return session.Value;
        }
        catch
        {
            // A failure is not kept: the file may be mended while the program runs.
            _open.TryRemove(KeyValuePair.Create(name, session));
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var session in _open.Values.Where(session => session.IsValueCreated))
            session.Value.Dispose();
        _open.Clear();
    }
}
