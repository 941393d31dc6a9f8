using PaDiM.Engine.Scoring;
using PaDiM.Service.Data;
using PaDiM.Service.Memory;

namespace PaDiM.Service.Models;

/// <summary>A model in memory and the time of its last use.</summary>
internal sealed class CachedModel(StoredModel stored, ModelScorer scorer, TimeProvider time)
{
    private long _usedAt = time.GetTimestamp();

    public ModelScorer Scorer { get; } = scorer;

    public string Category { get; } = stored.Category;

    public int Version { get; } = stored.Version;

    /// <summary>Gets the sum of host and device memory: one budget covers both, whichever is scarcer.</summary>
    public long Bytes { get; } = scorer.Bytes;

    public long UsedAt => Volatile.Read(ref _usedAt);

    /// <summary>Records a use. Takes no lock because every request calls it.</summary>
    public void Touch() => Volatile.Write(ref _usedAt, time.GetTimestamp());
}

/// <summary>
/// Models in memory within a budget of bytes. The least recently used are evicted; pinned ones never are. A model that
/// does not fit beside the pinned ones is kept anyway until the next one is added, because a requested model must be
/// served. While a fit runs, the budget is what the fit leaves. The cache owns the scorers: an evicted one releases its device memory, and requests that still use it
/// continue on the host. Thread-safe.
/// </summary>
internal sealed class ModelCache(MemoryPlan memory, TimeProvider time) : IDisposable
{
    /// <summary>A model that was used within this time counts as in use.</summary>
    private static readonly TimeSpan Lately = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Category, string FileName), CachedModel> _models = [];

    /// <summary>
    /// The pinned file per category, whether or not it is in memory yet, so that no other model can evict it in
    /// between.
    /// </summary>
    private readonly Dictionary<string, string> _pinned = new(StringComparer.Ordinal);

    private long _evictions;

    /// <summary>The memory of running fits, in bytes.</summary>
    private long _fits;

    /// <summary>Gets the memory of all models, in bytes.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
                return _models.Values.Sum(model => model.Bytes);
        }
    }

    /// <summary>Gets the number of models.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _models.Count;
        }
    }

    /// <summary>Gets the number of evictions since start-up.</summary>
    public long Evictions => Interlocked.Read(ref _evictions);

    /// <summary>Gets the contents, most recently used first.</summary>
    public ModelCacheResponse ToResponse()
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
                memory.ModelCache.Bytes,
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
            if (!_models.TryGetValue(GetKey(model), out var cached))
                return null;
            cached.Touch();
            return cached;
        }
    }

    /// <summary>Gets a model without counting it as a use.</summary>
    public CachedModel? Peek(StoredModel model)
    {
        lock (_gate)
            return _models.GetValueOrDefault(GetKey(model));
    }

    /// <summary>
    /// Gets whether a model is in memory, or fits there without the eviction of one that is pinned or was used lately.
    /// </summary>
    public bool HasRoomFor(StoredModel model)
    {
        lock (_gate)
            return _models.ContainsKey(GetKey(model))
                || _models
                    .Where(pair => IsPinned(pair.Key) || time.GetElapsedTime(pair.Value.UsedAt) < Lately)
                    .Sum(pair => pair.Value.Bytes) + model.StatisticsBytes
                    <= GetBudget();
    }

    /// <summary>Adds a model and returns the evicted ones. The cache takes ownership of the scorer.</summary>
    public (CachedModel Cached, IReadOnlyList<CachedModel> Evicted) Put(StoredModel model, ModelScorer scorer)
    {
        lock (_gate)
        {
            if (_models.TryGetValue(GetKey(model), out var earlier))
            {
                scorer.Dispose();
                return (earlier, []);
            }
            var cached = new CachedModel(model, scorer, time);
            var evicted = Evict(cached.Bytes);
            _models[GetKey(model)] = cached;
            return (cached, evicted);
        }
    }

    /// <summary>Sets memory aside for a fit and returns the models that were evicted for it.</summary>
    /// <param name="bytes">The memory that the process needs with the fit.</param>
    public IReadOnlyList<CachedModel> BeginFit(long bytes)
    {
        lock (_gate)
        {
            _fits += bytes;
            return Evict(0);
        }
    }

    /// <summary>Gives the memory of a fit back.</summary>
    public void EndFit(long bytes)
    {
        lock (_gate)
            _fits -= bytes;
    }

    /// <summary>Pins a model, replacing the pinned one of its category.</summary>
    public void Pin(StoredModel model)
    {
        lock (_gate)
            _pinned[model.Category] = model.FileName;
    }

    /// <summary>Allows the models of a category to be evicted again.</summary>
    public void Unpin(string category)
    {
        lock (_gate)
            _pinned.Remove(category);
    }

    /// <summary>Removes the models of a deleted category.</summary>
    public void Remove(string category)
    {
        lock (_gate)
        {
            _pinned.Remove(category);
            foreach (var key in _models.Keys.Where(key => key.Category == category).ToArray())
                Release(key);
        }
    }

    public void Dispose()
    {
        lock (_gate)
            foreach (var key in _models.Keys.ToArray())
                Release(key);
    }

    /// <summary>
    /// Version numbers restart at 1 when the name of a deleted category is used again; file names are never reused.
    /// </summary>
    public static (string Category, string FileName) GetKey(StoredModel model) => (model.Category, model.FileName);

    /// <summary>Evicts what does not fit beside an addition.</summary>
    private List<CachedModel> Evict(long added)
    {
        var budget = GetBudget();
        var evicted = new List<CachedModel>();
        foreach (
            var (key, oldest) in _models.Where(pair => !IsPinned(pair.Key)).OrderBy(pair => pair.Value.UsedAt).ToArray()
        )
        {
            if (_models.Values.Sum(model => model.Bytes) + added <= budget)
                break;
            Release(key);
            evicted.Add(oldest);
            Interlocked.Increment(ref _evictions);
        }
        return evicted;
    }

    private long GetBudget() => Math.Min(memory.ModelCache.Bytes, memory.Fits.Bytes - _fits);

    private void Release((string Category, string FileName) key)
    {
        if (_models.Remove(key, out var model))
            model.Scorer.Dispose();
    }

    private bool IsPinned((string Category, string FileName) key) =>
        _pinned.TryGetValue(key.Category, out var fileName) && fileName == key.FileName;
}
