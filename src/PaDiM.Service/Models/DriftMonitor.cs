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

    /// <summary>
    /// Sets the version that a category scores with. Another version starts with an empty window: its scores have
    /// nothing to do with those before.
    /// </summary>
    public void Activate(CategoryModel model)
    {
        if (labels.Has(model.Category))
            _categories.AddOrUpdate(
                model.Category,
                (_, next) => Watch(next),
                (_, watched, next) => watched.Version == next.Version ? watched : Watch(next),
                model
            );
    }

    /// <summary>
    /// Records an image. One of another version is ignored: its request began before the active version changed.
    /// </summary>
    public void Record(CategoryModel model, double pValue)
    {
        if (!_categories.TryGetValue(model.Category, out var watched) || watched.Version != model.Version)
            return;
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
            if (drift.Images > 0)
                yield return (category, drift);
        }
    }

    private static Watched Watch(CategoryModel model) =>
        new(model.Version, new DriftWindow(model.Scorer.Model.Calibration.Count));

    private sealed record Watched(int Version, DriftWindow Window);
}
