using System.Collections.Concurrent;

namespace PaDiM.Service.Diagnostics;

/// <summary>
/// Bounds how many categories have series of their own: whoever may create categories could otherwise fill the memory
/// of this process and of Prometheus. Counters never forget, so a name keeps its place until the process ends.
/// Thread-safe.
/// </summary>
internal sealed class CategoryLabels
{
    /// <summary>Categories with series of their own.</summary>
    public const int Most = 500;

    /// <summary>Stands for all others; no category can have this name.</summary>
    public const string Others = "_other";

    private readonly ConcurrentDictionary<string, string> _known = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>The label of a category: its name, while there is room.</summary>
    public string Of(string category)
    {
        if (_known.TryGetValue(category, out var label))
            return label;
        lock (_gate)
            return _known.Count < Most ? _known.GetOrAdd(category, category) : Others;
    }

    /// <summary>Whether a category has series of its own.</summary>
    public bool Has(string category) => Of(category) != Others;
}
