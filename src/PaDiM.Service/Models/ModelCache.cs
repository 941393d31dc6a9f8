using Microsoft.Extensions.Options;
using PaDiM.Onnx.Pipelines;
using PaDiM.Service.Hosting;

namespace PaDiM.Service.Models;

/// <summary>A model in memory, with the time it was last of use.</summary>
internal sealed class CachedModel(Inspector inspector, TimeProvider time)
{
    private long usedAt = time.GetTimestamp();

    public Inspector Inspector { get; } = inspector;

    public long Bytes { get; } = inspector.Model.Bytes;

    public long UsedAt => Volatile.Read(ref usedAt);

    /// <summary>Takes no lock: every request comes by.</summary>
    public void Touch() => Volatile.Write(ref usedAt, time.GetTimestamp());
}

/// <summary>Models in memory within a budget of bytes; the least recently used make room. A model larger than the budget is kept alone. Thread-safe.</summary>
internal sealed class ModelCache(IOptions<PadimOptions> options, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly Dictionary<(string Category, string FileName), CachedModel> models = [];

    /// <summary>Bytes of all models held.</summary>
    public long Bytes
    {
        get
        {
            lock (gate) return models.Values.Sum(model => model.Bytes);
        }
    }

    public CachedModel? Get(StoredModel model)
    {
        lock (gate)
        {
            if (!models.TryGetValue(KeyOf(model), out var cached)) return null;
            cached.Touch();
            return cached;
        }
    }

    /// <summary>Keeps a model, and tells which ones made room for it.</summary>
    public (CachedModel Cached, IReadOnlyList<CachedModel> Evicted) Put(StoredModel model, Inspector inspector)
    {
        lock (gate)
        {
            if (models.TryGetValue(KeyOf(model), out var earlier)) return (earlier, []);
            var cached = new CachedModel(inspector, time);
            var evicted = new List<CachedModel>();
            while (models.Count > 0 && models.Values.Sum(m => m.Bytes) + cached.Bytes > options.Value.ModelCacheBytes)
            {
                var (key, oldest) = models.MinBy(pair => pair.Value.UsedAt);
                models.Remove(key);
                evicted.Add(oldest);
            }
            models[KeyOf(model)] = cached;
            return (cached, evicted);
        }
    }

    /// <summary>Forgets the models of a category that is gone.</summary>
    public void Forget(string category)
    {
        lock (gate)
        {
            foreach (var key in models.Keys.Where(key => key.Category == category).ToArray()) models.Remove(key);
        }
    }

    /// <summary>Versions count from 1 again when a deleted category's name is used again; names of files are never used twice.</summary>
    public static (string Category, string FileName) KeyOf(StoredModel model) => (model.Category, model.FileName);
}
