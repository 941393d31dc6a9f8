using System.Collections.Concurrent;
using PaDiM.Core.Calibration;
using PaDiM.Service.Diagnostics;

namespace PaDiM.Service.Models;

/// <summary>
/// Whether the images of a category still look like those that its threshold rests on: a window over the last ones of
/// its active version. Thread-safe.
/// </summary>
internal sealed class DriftMonitor(CategoryLabels labels)
{
    private readonly ConcurrentDictionary<string, Watched> _categories = new(StringComparer.Ordinal);

    /// <summary>
    /// Counts an image. Another version begins from nothing: its scores have nothing to do with those before.
    /// </summary>
    public void See(CategoryModel model, double pValue)
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

    /// <summary>Lets go of a category that is gone.</summary>
    public void Forget(string category) => _categories.TryRemove(category, out _);

    /// <summary>How each category stands.</summary>
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
