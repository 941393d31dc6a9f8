using Microsoft.Extensions.Options;
using PaDiM.Onnx.Pipelines;
using PaDiM.Service.Hosting;

namespace PaDiM.Service.Models;

/// <summary>Models in memory within a budget of bytes; the least recently used make room. A model larger than the budget is kept alone. Thread-safe.</summary>
internal sealed class ModelCache(IOptions<PadimOptions> options)
{
    private readonly Lock gate = new();
    private readonly Dictionary<(string Category, string FileName), LinkedListNode<Entry>> entries = [];
    private readonly LinkedList<Entry> byUse = [];
    private long bytes;

    private sealed record Entry((string Category, string FileName) Key, Inspector Inspector, long Bytes);

    /// <summary>Bytes of all models held.</summary>
    public long Bytes
    {
        get
        {
            lock (gate) return bytes;
        }
    }

    public Inspector? Get(StoredModel model)
    {
        lock (gate)
        {
            if (!entries.TryGetValue(KeyOf(model), out var node)) return null;
            byUse.Remove(node);
            byUse.AddFirst(node);
            return node.Value.Inspector;
        }
    }

    public void Put(StoredModel model, Inspector inspector)
    {
        var distribution = inspector.Model.Distribution;
        var size = sizeof(float) * (distribution.Mean.LongLength + distribution.Whitening.LongLength);
        lock (gate)
        {
            if (entries.ContainsKey(KeyOf(model))) return;
            while (byUse.Last is { } oldest && bytes + size > options.Value.ModelCacheBytes) Remove(oldest);
            entries[KeyOf(model)] = byUse.AddFirst(new Entry(KeyOf(model), inspector, size));
            bytes += size;
        }
    }

    /// <summary>Forgets the models of a category that is gone.</summary>
    public void Forget(string category)
    {
        lock (gate)
        {
            foreach (var node in entries.Where(pair => pair.Key.Category == category).Select(pair => pair.Value).ToArray()) Remove(node);
        }
    }

    /// <summary>Versions count from 1 again when a deleted category's name is used again; names of files are never used twice.</summary>
    private static (string Category, string FileName) KeyOf(StoredModel model) => (model.Category, model.FileName);

    private void Remove(LinkedListNode<Entry> node)
    {
        byUse.Remove(node);
        entries.Remove(node.Value.Key);
        bytes -= node.Value.Bytes;
    }
}
