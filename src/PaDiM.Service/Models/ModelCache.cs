using Microsoft.Extensions.Options;
using PaDiM.Engine.Scoring;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;

namespace PaDiM.Service.Models;

/// <summary>A model in memory, with the time it was last of use.</summary>
internal sealed class CachedModel(StoredModel stored, ModelScorer inspector, TimeProvider time)
{
    private long _usedAt = time.GetTimestamp();

    public ModelScorer Inspector { get; } = inspector;

    public string Category { get; } = stored.Category;

    public int Version { get; } = stored.Version;

    /// <summary>The host's and the device's together: one budget holds both, whichever is short.</summary>
    public long Bytes { get; } = inspector.Bytes;

    public long UsedAt => Volatile.Read(ref _usedAt);

    /// <summary>Takes no lock: every request comes by.</summary>
    public void Touch() => Volatile.Write(ref _usedAt, time.GetTimestamp());
}

/// <summary>
/// Models in memory within a budget of bytes; the least recently used make room, and pinned ones never do. A model that
/// finds no room beside the pinned ones is kept all the same, until the next one comes: what is asked for is served.
/// Owner of the inspectors: one that is let go gives back its memory on the device, and requests that still score with
/// it go on with the host's. Thread-safe.
/// </summary>
internal sealed class ModelCache(IOptions<CategoryOptions> options, TimeProvider time) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Category, string FileName), CachedModel> _models = [];

    /// <summary>
    /// The file that is pinned for a category, whether or not it is in memory yet: between the two, no other model can
    /// drive it out.
    /// </summary>
    private readonly Dictionary<string, string> _pinned = new(StringComparer.Ordinal);

    private long _evictions;

    /// <summary>Bytes of all models held.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
                return _models.Values.Sum(model => model.Bytes);
        }
    }

    /// <summary>Models held.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _models.Count;
        }
    }

    /// <summary>Models that made room for others since the start.</summary>
    public long Evictions => Interlocked.Read(ref _evictions);

    /// <summary>What is held, the last used first.</summary>
    public ModelCacheResponse Describe()
    {
        lock (_gate)
        {
            HeldModel[] held =
            [
                .. _models
                    .OrderByDescending(pair => pair.Value.UsedAt)
                    .Select(pair => new HeldModel(
                        pair.Value.Category,
                        pair.Value.Version,
                        pair.Value.Bytes,
                        IsPinned(pair.Key),
                        (time.GetUtcNow() - time.GetElapsedTime(pair.Value.UsedAt)).UtcDateTime
                    )),
            ];
            return new ModelCacheResponse(
                options.Value.ModelCacheBytes,
                held.Sum(model => model.Bytes),
                held.Where(model => model.Pinned).Sum(model => model.Bytes),
                held
            );
        }
    }

    public CachedModel? Get(StoredModel model)
    {
        lock (_gate)
        {
            if (!_models.TryGetValue(KeyOf(model), out var cached))
                return null;
            cached.Touch();
            return cached;
        }
    }

    /// <summary>A model that is held, without counting as a use of it.</summary>
    public CachedModel? Peek(StoredModel model)
    {
        lock (_gate)
            return _models.GetValueOrDefault(KeyOf(model));
    }

    /// <summary>
    /// Keeps a model, and tells which ones made room for it. The inspector is the cache's from here on.
    /// </summary>
    public (CachedModel Cached, IReadOnlyList<CachedModel> Evicted) Put(StoredModel model, ModelScorer inspector)
    {
        lock (_gate)
        {
            if (_models.TryGetValue(KeyOf(model), out var earlier))
            {
                inspector.Dispose();
                return (earlier, []);
            }
            var cached = new CachedModel(model, inspector, time);
            var evicted = new List<CachedModel>();
            foreach (
                var (key, oldest) in _models
                    .Where(pair => !IsPinned(pair.Key))
                    .OrderBy(pair => pair.Value.UsedAt)
                    .ToArray()
            )
            {
                if (_models.Values.Sum(m => m.Bytes) + cached.Bytes <= options.Value.ModelCacheBytes)
                    break;
                LetGo(key);
                evicted.Add(oldest);
                Interlocked.Increment(ref _evictions);
            }
            _models[KeyOf(model)] = cached;
            return (cached, evicted);
        }
    }

    /// <summary>
    /// Lets a model stay whatever comes, in place of the one that was pinned for its category before.
    /// </summary>
    public void Pin(StoredModel model)
    {
        lock (_gate)
            _pinned[model.Category] = model.FileName;
    }

    /// <summary>Lets the models of a category make room again.</summary>
    public void Unpin(string category)
    {
        lock (_gate)
            _pinned.Remove(category);
    }

    /// <summary>Forgets the models of a category that is gone.</summary>
    public void Forget(string category)
    {
        lock (_gate)
        {
            _pinned.Remove(category);
            foreach (var key in _models.Keys.Where(key => key.Category == category).ToArray())
                LetGo(key);
        }
    }

    public void Dispose()
    {
        lock (_gate)
            foreach (var key in _models.Keys.ToArray())
                LetGo(key);
    }

    /// <summary>
    /// Versions count from 1 again when a deleted category's name is used again; names of files are never used twice.
    /// </summary>
    public static (string Category, string FileName) KeyOf(StoredModel model) => (model.Category, model.FileName);

    private void LetGo((string Category, string FileName) key)
    {
        if (_models.Remove(key, out var model))
            model.Inspector.Dispose();
    }

    private bool IsPinned((string Category, string FileName) key) =>
        _pinned.TryGetValue(key.Category, out var fileName) && fileName == key.FileName;
}
