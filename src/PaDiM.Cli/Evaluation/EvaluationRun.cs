using PaDiM.Cli.Evaluation.Datasets;
using PaDiM.Core.Calibration;
using PaDiM.Engine;
using PaDiM.Engine.Evaluation;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Scoring;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Cli.Evaluation;

/// <summary>
/// Fits and measures categories, each with every seed, and skips what an interrupted run has already done.
/// </summary>
/// <param name="plan">What to measure.</param>
/// <param name="backbone">The network.</param>
/// <param name="ignored">The pixels that do not count, at the image size; null if all count.</param>
/// <param name="state">The results so far.</param>
internal sealed class EvaluationRun(EvaluationPlan plan, Backbone backbone, bool[]? ignored, EvaluationState state)
{
    /// <summary>The share of the time of a fit and its measurement that the fit takes.</summary>
    private const double FitShare = 0.7;

    /// <summary>Fits and measures all categories.</summary>
    /// <param name="categories">The categories, in order.</param>
    /// <param name="progress">Receives every step.</param>
    /// <param name="finished">Receives each row as soon as it is complete.</param>
    /// <param name="stop">Stops between two batches; finished work is kept.</param>
    public IReadOnlyList<EvaluationRow> Run(
        IReadOnlyList<DatasetCategory> categories,
        EvaluationProgress progress,
        Action<EvaluationRow> finished,
        CancellationToken stop
    )
    {
        List<EvaluationRow> rows = [];
        foreach (var category in categories)
        {
            rows.Add(
                EvaluationRow.Create(
                    category.Name,
                    category.IsTexture,
                    plan,
                    backbone.Identity,
                    [.. plan.Seeds.Select(seed => GetResult(category, seed, progress, stop))]
                )
            );
            finished(rows[^1]);
        }
        return rows;
    }

    private SeedResult GetResult(
        DatasetCategory category,
        int seed,
        EvaluationProgress progress,
        CancellationToken stop
    )
    {
        var entry = state.GetEntry(category, seed);
        if (entry.Read() is { } known)
            return known;
        progress.Start(
            category,
            plan.Repeats == 1 ? category.Name : FormattableString.Invariant($"{category.Name} with seed {seed}")
        );
        var made = new SeedResult(seed, Measure(category, seed, entry, progress, stop));
        entry.Write(made);
        progress.Finish(made.Report);
        return made;
    }

    private EvaluationReport Measure(
        DatasetCategory category,
        int seed,
        StateEntry entry,
        EvaluationProgress progress,
        CancellationToken stop
    )
    {
        var view = new ProtocolView(plan.Protocol, seed, plan.Settings.SignificantBits);
        var model = FolderFit.Run(
            backbone,
            plan.WithSeed(seed),
            ignored,
            category.Training.Select(view.ToTraining),
            entry.Embeddings,
            step => progress.Report(FitShare * step.Progress, FolderFit.FormatStage(step)),
            stop
        );
        using var scorer = ModelScorer.Open(model, backbone);
        var compute = ComputeContext.OnThreadPool(backbone.Runtime.Threads, bindsCaller: true);
        var pipeline = new EvaluationPipeline(scorer, new ImageDecoder(), compute, entry.Maps);
        return pipeline.Run(
            [.. category.Label().Select(view.ToTest)],
            model.Calibration.GetThreshold(ThresholdCalibration.DefaultFalseRejectRate),
            share => progress.Report(FitShare + (1 - FitShare) * share, "scoring"),
            stop
        );
    }
}
