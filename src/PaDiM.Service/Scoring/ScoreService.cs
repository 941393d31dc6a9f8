using System.Diagnostics;
using PaDiM.Core.Geometry;
using PaDiM.Core.InputChecks;
using PaDiM.Engine.Scoring;
using PaDiM.Service.Admission;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Models;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Scores an image with all models of a part: probe, admission, decoding, backbones, distances, pixels, decision.
/// </summary>
internal sealed partial class ScoreService(
    ImageAdmission admission,
    ScorePreparation preparation,
    ScoreBatcher batcher,
    SideBySideScorer sideBySide,
    TileScorer tiles,
    ScoreDrawing drawing,
    ScoreMetrics metrics,
    ScoreTally tally,
    InspectionFeed inspections,
    TimeProvider time,
    ILogger<ScoreService> logger
)
{
    /// <summary>
    /// Scores an image with snapshots of models, and reports the results to the log, the metrics and the trace.
    /// </summary>
    /// <param name="models">The snapshots.</param>
    /// <param name="file">The image.</param>
    /// <param name="details">What is wanted besides the score.</param>
    /// <param name="priority">Who waits for the score.</param>
    /// <param name="identity">The client's names for the part.</param>
    /// <param name="cancellationToken">Gives the image up while it waits.</param>
    public async Task<Outcome<ScoredMap>> ScoreAsync(
        PartModels models,
        RequestFile file,
        ScoreDetails details,
        Priority priority,
        PartIdentity identity,
        CancellationToken cancellationToken
    )
    {
        var part = identity.Part;
        using var trace = ScoreTrace.StartImage();
        var clock = new StageClock(time);
        if (!preparation.Plan(models, file).Succeeded(out var plan, out var problem))
            return ReportFailure(models, problem, trace, part, clock);
        var probe = clock.EndStage();

        using var lease = await admission.AcquireToScoreAsync(plan.Bytes, priority, cancellationToken);
        // Refused images have a counter of their own.
        if (!lease.IsAcquired)
            return admission.Refuse();
        var timed = new Admitted(lease, plan, clock, clock.EndStage(), probe);
        var outcome = await ScoreAsync(models, file, details, timed, trace, cancellationToken);
        if (!outcome.Succeeded(out var scored, out problem))
            return ReportFailure(models, problem, trace, part, clock);

        metrics.RecordTimes(scored.Response.TimingsMs);
        trace?.SetResult(scored.Response, part);
        trace?.AddRegions(scored.Response.RegionsOfInterest);
        foreach (var (model, _, _, _, result) in scored.Scores)
        {
            metrics.RecordScore(model, result);
            tally.Record(model, scored.Response.TimingsMs);
            LogScored(result.Category, result.ModelVersion, result.Decision, result.Score, result.Threshold, part);
        }
        var deciding = ModelScore.FindDeciding(scored.Scores);
        var response = await inspections.ReportAsync(models, file, identity, deciding, scored.Scores, scored.Response);
        return new ScoredMap(deciding.Map, response);
    }

    private Problem ReportFailure(PartModels models, Problem problem, Activity? trace, string? part, StageClock clock)
    {
        metrics.RecordFailure(problem);
        tally.RecordFailure(models.Models[0], clock.Total);
        trace?.SetProblem(problem);
        LogNotScored(models.Category, models.Models[0].Version, problem.Code, part);
        return problem;
    }

    private async Task<Outcome<ScoredPart>> ScoreAsync(
        PartModels models,
        RequestFile file,
        ScoreDetails details,
        Admitted admitted,
        Activity? trace,
        CancellationToken cancellationToken
    )
    {
        var (lease, plan, clock, waited, probe) = admitted;
        var runtime = models.Models[0].Scorer.Runtime;
        var hash = BodyHash.Start(file.Bytes, runtime.Threads);
        var keepPixels = ScoreDrawing.NeedsPixels(details);
        var isPrepared = preparation
            .Prepare(models, file, plan, keepPixels)
            .Succeeded(out var prepared, out var problem);
        using var image = prepared;
        var decode = probe + clock.EndStage();
        if (!isPrepared)
            return problem!;
        foreach (var input in image!.Inputs)
            if (Refuse(input.Model, input.Warnings) is { } refused)
                return refused;

        var answers = await InferAsync(image, lease, cancellationToken);
        var inference = clock.EndStage();
        var batched = new BatchedMap[answers.Length];
        for (var i = 0; i < answers.Length; i++)
            if (!answers[i].Succeeded(out batched[i]!, out problem))
                return problem;
        image.FinishTiles();
        // A heatmap waits for memory again.
        lease.ReleaseCoreAndMemory();

        var scores = new ModelScore[batched.Length];
        for (var i = 0; i < scores.Length; i++)
            if (!Measure(image.Size, image.Inputs[i], batched[i], details).Succeeded(out scores[i]!, out problem))
                return problem;
        if (ScoreDrawing.Validate(details, image.Size) is { } tooLarge)
            return tooLarge;
        byte[]? drawn = null;
        if (details.Heatmap is not null)
        {
            var picture = await drawing.DrawAsync(image, scores, file, details, lease.Priority, cancellationToken);
            if (!picture.Succeeded(out drawn, out problem))
                return problem;
        }
        var postprocess = clock.EndStage();
        var stages = InferenceTimes.Create(batched, inference);
        var total = clock.Total;
        if (trace is not null)
            WriteStages(trace, batched[0].Trace, waited, decode, stages, postprocess, total);

        var result = ModelScore.FindDeciding(scores).Result;
        return new ScoredPart(
            scores,
            new ScoreResponse(
                InspectionId: null,
                result.Category,
                result.ModelVersion,
                result.Fallback,
                result.Score,
                result.Threshold,
                result.ScoreRatio,
                result.PValue,
                result.Decision,
                [.. scores.SelectMany(score => score.Result.Warnings).DistinctBy(warning => warning.Code)],
                result.Regions,
                result.DefectAreaPercent,
                models.HasRegions || scores[0].Mapper.Region is not null
                    ? [.. scores.Select(score => score.Result)]
                    : [],
                new ScoredImage(image.Size.Width, image.Size.Height, hash.Sha256),
                drawn,
                new Timings(
                    Round(waited + stages.Waited),
                    Round(decode),
                    Round(stages.Embedding),
                    Round(stages.Scoring),
                    Round(postprocess),
                    Round(clock.Total)
                ),
                runtime.Device
            )
        );
    }

    /// <summary>
    /// Passes the image through the backbones and the distances of all models. Several models wait together, so that
    /// those that can share a pass of the backbone do. The decoded image keeps its memory as long as tiles are cut from
    /// it.
    /// </summary>
    private async Task<Outcome<BatchedMap>[]> InferAsync(
        PreparedImage image,
        ImageLease lease,
        CancellationToken cancellationToken
    )
    {
        if (image.Inputs is [{ Tiles: { } only } tiled])
            return [await tiles.ScoreAsync(tiled.Model.Scorer, only, lease, cancellationToken)];
        if (image.Inputs is [var single] && sideBySide.IsFasterFor(single.Model.Scorer))
            return [await sideBySide.ScoreAsync(single.Model.Scorer, single.Values, lease, cancellationToken)];
        if (image.HasTiles)
            lease.ReleaseCore();
        else
            lease.ReleaseCoreAndMemory();
        var answers = new Outcome<BatchedMap>[image.Inputs.Length];
        var whole = image.Inputs.Index().Where(input => input.Item.Tiles is null).ToArray();
        if (whole.Length > 0)
        {
            var together = await batcher.ScoreAsync(
                [.. whole.Select(input => (input.Item.Model.Scorer, input.Item.Values))],
                lease.Priority,
                cancellationToken
            );
            foreach (var ((i, _), answer) in whole.Zip(together))
                answers[i] = answer;
        }
        for (var i = 0; i < answers.Length; i++)
            if (image.Inputs[i].Tiles is { } cut)
                answers[i] = await tiles.ScoreInBatchesAsync(
                    image.Inputs[i].Model.Scorer,
                    cut,
                    lease.Priority,
                    cancellationToken
                );
        return answers;
    }

    /// <summary>Turns what a model computed into a result, or the problem that it cannot be one.</summary>
    private Outcome<ModelScore> Measure(Grid size, PreparedInput input, BatchedMap batched, ScoreDetails details)
    {
        var model = input.Model;
        var scorer = model.Scorer;
        var map = scorer.ToPixels(batched.Map, input.Mapper.Frame, input.Placement);
        var score = scorer.GetScore(map, input.Mapper.Frame);
        if (!float.IsFinite(score))
            return Problems.NotFinite(scorer.Backbone.Identity.Name);
        IReadOnlyList<InputWarning> warnings = InputChecker.Check(scorer.Model, map) is { } unlike
            ? [.. input.Warnings, unlike]
            : input.Warnings;
        if (Refuse(model, warnings) is { } unlikeTraining)
            return unlikeTraining;
        metrics.RecordWarnings(model, warnings);
        var level = ModelScorer.GetDefectLevel(score, model.Threshold);
        var defects = scorer.FindDefects(map, level, input.Mapper, details.Contours);
        return new ModelScore(
            model,
            map,
            input.Mapper,
            level,
            new RegionScore(
                model.Category,
                model.Version,
                model.StandsInFor is not null,
                score,
                model.Threshold,
                model.Threshold > 0 ? score / model.Threshold : null,
                scorer.Model.Calibration.GetPValue(score),
                model.Decide(score),
                [.. warnings.Select(warning => new ScoreWarning(warning.Code, warning.Detail))],
                defects.Regions,
                defects.AreaPercent,
                RegionBox.Create(input.Mapper.Region, size),
                RegionBox.GetCorners(input.Mapper.Region, size)
            )
        );
    }

    /// <summary>Gets the problem of an image with a warning that its category refuses, and counts it.</summary>
    private Problem? Refuse(CategoryModel model, IReadOnlyList<InputWarning> warnings)
    {
        if (!warnings.Any(warning => model.RefuseOn.Contains(warning.Code)))
            return null;
        metrics.RecordWarnings(model, warnings);
        return Problems.InputRefused([.. warnings.Where(warning => model.RefuseOn.Contains(warning.Code))]);
    }

    private static void WriteStages(
        Activity trace,
        ActivityContext batch,
        double waited,
        double decode,
        InferenceTimes stages,
        double postprocess,
        double total
    )
    {
        var batchQueue = waited + decode;
        var embed = batchQueue + stages.Waited;
        ScoreTrace.WriteStages(
            trace,
            batch,
            ("queue", 0, waited),
            ("decode", waited, decode),
            ("queue", batchQueue, stages.Waited),
            ("embed", embed, stages.Embedding),
            ("distance", embed + stages.Embedding, stages.Scoring),
            ("postprocess", total - postprocess, postprocess)
        );
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "{Category} version {ModelVersion}: {Decision} at {Score}, threshold {Threshold}, part {PartId}"
    )]
    private partial void LogScored(
        string category,
        int modelVersion,
        Decision decision,
        double score,
        double threshold,
        string? partId
    );

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "{Category} version {ModelVersion}: not scored ({Code}), part {PartId}"
    )]
    private partial void LogNotScored(string category, int modelVersion, string code, string? partId);

    private static double Round(double milliseconds) => Math.Round(milliseconds, 3);

    /// <summary>An image that was admitted, and the milliseconds that took.</summary>
    private sealed record Admitted(ImageLease Lease, DecodePlan Plan, StageClock Clock, double Waited, double Probe);

    /// <summary>The results of all models, and the answer.</summary>
    private sealed record ScoredPart(IReadOnlyList<ModelScore> Scores, ScoreResponse Response);
}
