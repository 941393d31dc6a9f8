using System.Collections.Concurrent;
using PaDiM.Engine.Catalogue;

namespace PaDiM.Engine.Inference;

/// <summary>
/// Opens backbones by name: every <c>NAME.onnx</c> of the built-in directory and of the configured ones. Where two have
/// the same name, the first one wins. Opens a backbone on first use and keeps it open. Thread-safe.
/// </summary>
/// <param name="directories">Searched in order, after the built-in directory; missing ones are skipped.</param>
/// <param name="runtime">Device and number of threads of the sessions.</param>
public sealed class BackboneRegistry(IEnumerable<string> directories, BackboneRuntime runtime) : IDisposable
{
    /// <summary>Name of the backbone that is used by default.</summary>
    public const string DefaultName = "tiny";

    private readonly ConcurrentDictionary<string, Lazy<Backbone>> _open = new(StringComparer.Ordinal);

    /// <summary>Gets the directories that are searched.</summary>
    public BackboneDirectories Directories { get; } = new(directories);

    /// <summary>Gets the device and the number of threads of the sessions.</summary>
    public BackboneRuntime Runtime { get; } = runtime;

    /// <summary>Gets the names of the open backbones.</summary>
    public IReadOnlyList<string> OpenNames =>
        [.. _open.Where(pair => pair.Value is { IsValueCreated: true }).Select(pair => pair.Key)];

    /// <summary>Gets a backbone; opens it on first use, which takes tens of milliseconds to seconds.</summary>
    /// <exception cref="KeyNotFoundException">No directory contains it.</exception>
    /// <exception cref="InvalidDataException">Its file or manifest cannot be used; the message says why.</exception>
    public Backbone Open(string name)
    {
        var session = _open.GetOrAdd(
            name,
            key => new Lazy<Backbone>(() =>
                Backbone.Load(
                    Directories.Find(key)
                        ?? throw new KeyNotFoundException(BackboneCatalogue.Known.GetMissingMessage(key)),
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
            // Failures are not cached: the file may be repaired while the program runs.
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
