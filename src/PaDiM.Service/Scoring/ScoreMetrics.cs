using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.Options;
using PaDiM.Core.InputChecks;
using PaDiM.Service.Admission;
using PaDiM.Service.Data;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Http;
using PaDiM.Service.Models;

namespace PaDiM.Service.Scoring;

/// <summary>Instruments of scoring. An image costs about ten recordings without an allocation.</summary>
internal sealed class ScoreMetrics
{
    private static readonly KeyValuePair<string, object?> Queue = CreateStageTag("queue"),
        Decode = CreateStageTag("decode"),
        Embed = CreateStageTag("embed"),
        Distance = CreateStageTag("distance"),
        Postprocess = CreateStageTag("postprocess");
    private static readonly Dictionary<Decision, string> Decisions = Enum.GetValues<Decision>()
        .ToDictionary(
            decision => decision,
            decision => JsonNamingPolicy.KebabCaseLower.ConvertName(decision.ToString())
        );

    private readonly Histogram<double> _stages,
        _durations,
        _batches,
        _ratios;
    private readonly Counter<long> _decisions,
        _failures,
        _warnings;
    private readonly CategoryLabels _labels;
    private readonly DriftMonitor _drift;

    public ScoreMetrics(
        IMeterFactory meters,
        ImageAdmission admission,
        DriftMonitor drift,
        CategoryLabels labels,
        IOptions<AdmissionOptions> options
    )
    {
        _drift = drift;
        _labels = labels;
        var meter = meters.Create(Instruments.Name);
        _stages = meter.CreateRequestHistogram(
            "padim.score.stage.duration",
            "Time of an image in each stage of scoring."
        );
        _durations = meter.CreateRequestHistogram(
            "padim.score.duration",
            "Time of an image from its last byte to its result."
        );
        _batches = meter.CreateBuckets(
            "padim.score.batch.size",
            null,
            "Images that passed through the backbone together.",
            [1, 2, 4, 8, 16, 32, 64, 128, 256]
        );
        _ratios = meter.CreateBuckets(
            "padim.score.threshold.ratio",
            null,
            "Scores over the threshold in force: 1 and more is anomalous.",
            [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5]
        );
        _decisions = meter.CreateCounter<long>("padim.score.decisions", null, "Decisions of the active version.");
        _failures = meter.CreateCounter<long>(
            "padim.score.failures",
            null,
            "Images without a result, by the code of their problem."
        );
        _warnings = meter.CreateCounter<long>(
            "padim.score.warnings",
            null,
            "Warnings about images of the active version, also about refused ones."
        );
        meter.CreateObservableGauge("padim.score.queue.images", () => admission.SlotsInUse, null, "Images under way.");
        meter.CreateObservableGauge(
            "padim.score.queue.capacity",
            () => options.Value.QueueCapacity,
            null,
            "Images that may be under way; one more is refused."
        );
        meter.CreateObservableCounter(
            "padim.score.queue.refusals",
            () => admission.Refusals,
            null,
            "Requests answered with queue_full."
        );
    }

    /// <summary>Records the times of an image.</summary>
    public void RecordTimes(Timings times)
    {
        _stages.Record(times.Queue / 1000, Queue);
        _stages.Record(times.Decode / 1000, Decode);
        _stages.Record(times.Embed / 1000, Embed);
        _stages.Record(times.Distance / 1000, Distance);
        _stages.Record(times.Postprocess / 1000, Postprocess);
        _durations.Record(times.Total / 1000);
    }

    /// <summary>
    /// Records the result of a model. That of a version that is not active is a trial and says nothing about the line.
    /// </summary>
    public void RecordScore(CategoryModel model, RegionScore result)
    {
        if (!model.Active)
            return;
        var category = Instruments.Tag("category", _labels.GetLabel(model.Category));
        _decisions.Add(1, category, Instruments.Tag("decision", Decisions[result.Decision]));
        if (result.Threshold > 0)
            _ratios.Record(result.Score / result.Threshold, category);
        _drift.Record(model, result.PValue);
    }

    /// <summary>Records the warnings about an image.</summary>
    public void RecordWarnings(CategoryModel model, IReadOnlyList<InputWarning> warnings)
    {
        if (!model.Active || warnings.Count == 0)
            return;
        var category = Instruments.Tag("category", _labels.GetLabel(model.Category));
        foreach (var code in warnings.Select(warning => warning.Code).Distinct(StringComparer.Ordinal))
            _warnings.Add(1, category, Instruments.Tag("code", code));
    }

    /// <summary>Records an image without a result.</summary>
    public void RecordFailure(Problem problem) => _failures.Add(1, Instruments.Tag("code", problem.Code));

    /// <summary>Records a pass through the backbone.</summary>
    public void RecordBatch(int images) => _batches.Record(images);

    private static KeyValuePair<string, object?> CreateStageTag(string name) => Instruments.Tag("stage", name);
}
