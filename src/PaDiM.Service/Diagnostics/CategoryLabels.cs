using System.Collections.Concurrent;

namespace PaDiM.Service.Diagnostics;

/// <summary>
/// Limits the number of categories with their own time series, which would otherwise let anyone who may create
/// categories fill the memory of this process and of Prometheus. Counters are never removed, so a name keeps its slot
/// until the process ends. Thread-safe.
/// </summary>
internal sealed class CategoryLabels
{
    /// <summary>Maximum number of categories with their own series.</summary>
    public const int MaxCategories = 500;

    /// <summary>Label for all other categories; no category can have this name.</summary>
    public const string Others = "_other";

    private readonly ConcurrentDictionary<string, string> _known = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>Gets the label of a category: its name while there are free slots.</summary>
    public string GetLabel(string category)
    {
        if (_known.TryGetValue(category, out var label))
            return label;
        lock (_gate)
            return _known.Count < MaxCategories ? _known.GetOrAdd(category, category) : Others;
    }

    /// <summary>Gets whether a category has its own series.</summary>
    public bool Has(string category) => GetLabel(category) != Others;
}
