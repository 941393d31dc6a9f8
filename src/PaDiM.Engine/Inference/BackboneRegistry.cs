using System.Collections.Concurrent;
using PaDiM.Engine.Catalogue;

namespace PaDiM.Engine.Inference;

/// <summary>
/// The backbones that can be used by name: every <c>NAME.onnx</c> of the built-in directory and of the configured ones,
/// the first of a name winning. Opens one session a backbone, on first use, and keeps it. Thread-safe.
/// </summary>
/// <param name="directories">Searched after the built-in directory, in order; absent ones are passed over.</param>
/// <param name="runtime">Device and threads of the sessions.</param>
public sealed class BackboneRegistry(IEnumerable<string> directories, BackboneRuntime runtime) : IDisposable
{
    /// <summary>The backbone that is used where none is named.</summary>
    public const string DefaultName = "tiny";

    private readonly ConcurrentDictionary<string, Lazy<Backbone>> _open = new(StringComparer.Ordinal);

    /// <summary>The directories that are searched.</summary>
    public BackboneDirectories Directories { get; } = new(directories);

    /// <summary>Device and threads of the sessions.</summary>
    public BackboneRuntime Runtime { get; } = runtime;

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
