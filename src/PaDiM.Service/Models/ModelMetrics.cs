using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using PaDiM.Core.Calibration;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Memory;

namespace PaDiM.Service.Models;

/// <summary>
/// Instruments of models: the cache, loads, and per category in use its version, usability and drift.
/// </summary>
internal sealed class ModelMetrics
{
    private readonly ConcurrentDictionary<string, Active> _categories = new(StringComparer.Ordinal);
    private readonly Histogram<double> _loads;
    private readonly CategoryLabels _labels;
    private readonly DriftMonitor _drift;

    public ModelMetrics(
        IMeterFactory meters,
        ModelCache cache,
        DriftMonitor drift,
        CategoryLabels labels,
        MemoryPlan memory
    )
    {
        _drift = drift;
        _labels = labels;
        var meter = meters.Create(Instruments.Name);
        meter.CreateObservableGauge(
            "padim.model.cache",
            () => cache.Bytes,
            "By",
            "Memory of loaded models, including device memory."
        );
        meter.CreateObservableGauge(
            "padim.model.cache.budget",
            () => memory.ModelCache.Bytes,
            "By",
            "Memory for loaded models."
        );
        meter.CreateObservableGauge("padim.model.cache.models", () => cache.Count, null, "Number of loaded models.");
        meter.CreateObservableCounter(
            "padim.model.cache.evictions",
            () => cache.Evictions,
            null,
            "Number of evicted models."
        );
        _loads = meter.CreateRequestHistogram(
            "padim.model.load.duration",
            "Time to load a model and run its self-test, by result: loaded, unusable, self_test_failed or "
                + "device_failed."
        );

        meter.CreateObservableGauge(
            "padim.model.version",
            () => Each(model => model.Version),
            null,
            "Version that scores."
        );
        meter.CreateObservableGauge(
            "padim.model.unusable",
            () => Each(model => model.Unusable ? 1 : 0),
            null,
            "1 if the active version cannot be loaded: its file is damaged, its backbone is missing or its "
                + "self-test failed."
        );
        meter.CreateObservableGauge(
            "padim.model.expected_reject.ratio",
            () => Each(model => model.ExpectedRejects),
            null,
            "Upper bound of the expected share of good parts that the threshold in force rejects."
        );

        meter.CreateObservableGauge(
            "padim.drift.images",
            () => Each(window => window.Images),
            null,
            "Images in the drift window."
        );
        meter.CreateObservableGauge(
            "padim.drift.low_p.ratio",
            () => Each(window => window.LowShare),
            null,
            "Share of images in the drift window with a p-value of at most 0.05; about 0.05 if all parts are "
                + "good and there is no drift."
        );
        meter.CreateObservableGauge(
            "padim.drift.distance",
            () => Each(window => window.Higher, window => window.Lower),
            null,
            "Kolmogorov-Smirnov distance of the body of the window's scores from the model's leave-one-out "
                + "scores, by direction."
        );
        meter.CreateObservableGauge(
            "padim.drift.critical_distance",
            () => Each(window => window.Critical),
            null,
            "Distance beyond which the scores count as drifted."
        );
        meter.CreateObservableGauge(
            "padim.drift.detected",
            () => Each(window => window.IsHigher ? 1 : 0, window => window.IsLower ? 1 : 0),
            null,
            "1 if the scores have drifted in that direction."
        );
    }

    /// <summary>Records the result of loading a model.</summary>
    public void RecordLoad(string result, TimeSpan duration) =>
        _loads.Record(duration.TotalSeconds, Instruments.Tag("result", result));

    /// <summary>Records the snapshot with which a category now scores.</summary>
    public void SetReady(CategoryModel model)
    {
        _drift.Activate(model);
        if (_labels.Has(model.Category))
            _categories[model.Category] = new Active(
                model.Version,
                model.Scorer.Model.Calibration.GetFalseRejectRate(model.Threshold),
                model.StandsInFor is not null
            );
    }

    /// <summary>Records that the active version of a category cannot be loaded.</summary>
    public void SetUnusable(string category, int version)
    {
        if (_labels.Has(category))
            _categories[category] = new Active(
                version,
                _categories.GetValueOrDefault(category)?.ExpectedRejects ?? double.NaN,
                true
            );
    }

    /// <summary>Removes a category that was deleted or has no model.</summary>
    public void Remove(string category)
    {
        _categories.TryRemove(category, out _);
        _drift.Remove(category);
    }

    private IEnumerable<Measurement<double>> Each(Func<Active, double> value) =>
        _categories.Select(pair => new Measurement<double>(value(pair.Value), Instruments.Tag("category", pair.Key)));

    private IEnumerable<Measurement<double>> Each(Func<ScoreDrift, double> value) =>
        _drift
            .Measure()
            .Select(each => new Measurement<double>(value(each.Drift), Instruments.Tag("category", each.Category)));

    private IEnumerable<Measurement<double>> Each(Func<ScoreDrift, double> higher, Func<ScoreDrift, double> lower) =>
        _drift
            .Measure()
            .SelectMany(each =>
                new[]
                {
                    new Measurement<double>(
                        higher(each.Drift),
                        Instruments.Tag("category", each.Category),
                        Instruments.Tag("direction", "higher")
                    ),
                    new Measurement<double>(
                        lower(each.Drift),
                        Instruments.Tag("category", each.Category),
                        Instruments.Tag("direction", "lower")
                    ),
                }
            );

    private sealed record Active(int Version, double ExpectedRejects, bool Unusable);
}
