using Microsoft.Extensions.Options;
using PaDiM.Onnx.Pipelines;
using PaDiM.Service.Hosting;

namespace PaDiM.Service.Models;

/// <summary>Models in memory within a budget of bytes; the least recently used make room. A model larger than the budget is kept alone. Thread-safe.</summary>
internal sealed class ModelCache(IOptions<PadimOptions> options)
{
    private readonly Lock gate = new();
    private readonly Dictionary<(string Category, int Version), LinkedListNode<Entry>> entries = [];
    private readonly LinkedList<Entry> byUse = [];
    private long bytes;

    private sealed record Entry((string, int) Key, Inspector Inspector, long Bytes);

    /// <summary>Bytes of all models held.</summary>
    public long Bytes
    {
        get
        {
            lock (gate) return bytes;
        }
    }

    public Inspector? Get(string category, int version)
    {
        lock (gate)
        {
            if (!entries.TryGetValue((category, version), out var node)) return null;
            byUse.Remove(node);
            byUse.AddFirst(node);
            return node.Value.Inspector;
        }
    }

    public void Put(string category, int version, Inspector inspector)
    {
        var distribution = inspector.Model.Distribution;
        var size = sizeof(float) * (distribution.Mean.LongLength + distribution.Whitening.LongLength);
        lock (gate)
        {
            if (entries.ContainsKey((category, version))) return;
            while (byUse.Last is { } oldest && bytes + size > options.Value.ModelCacheBytes) Remove(oldest);
            entries[(category, version)] = byUse.AddFirst(new Entry((category, version), inspector, size));
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

    private void Remove(LinkedListNode<Entry> node)
    {
        byUse.Remove(node);
        entries.Remove(node.Value.Key);
        bytes -= node.Value.Bytes;
    }
}
