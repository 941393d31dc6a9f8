using System.Collections.Concurrent;
using PaDiM.Core.Calibration;
using PaDiM.Service.Diagnostics;

namespace PaDiM.Service.Models;

/// <summary>
/// Detects whether the scores of a category still match those behind its threshold, over a window of the last images of
/// the active version. Thread-safe.
/// </summary>
internal sealed class DriftMonitor(CategoryLabels labels)
{
    private readonly ConcurrentDictionary<string, Watched> _categories = new(StringComparer.Ordinal);

    /// <summary>Adds an image. Another version starts a new window, because its scores are not comparable.</summary>
    public void Record(CategoryModel model, double pValue)
    {
        if (!labels.Has(model.Category))
            return;
        if (!_categories.TryGetValue(model.Category, out var watched) || watched.Version != model.Version)
            _categories[model.Category] = watched = new Watched(
                model.Version,
                new DriftWindow(model.Inspector.Model.Calibration.Scores.Count)
            );
        lock (watched.Window)
            watched.Window.Add(pValue);
    }

    /// <summary>Removes a deleted category.</summary>
    public void Remove(string category) => _categories.TryRemove(category, out _);

    /// <summary>Gets the drift of each category.</summary>
    public IEnumerable<(string Category, ScoreDrift Drift)> Measure()
    {
        foreach (var (category, watched) in _categories)
        {
            ScoreDrift drift;
            lock (watched.Window)
                drift = watched.Window.Measure();
            yield return (category, drift);
        }
    }

    private sealed record Watched(int Version, DriftWindow Window);
}
