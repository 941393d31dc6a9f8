using System.Buffers;
using System.Diagnostics;
using PaDiM.Core.Geometry;
using PaDiM.Core.InputChecks;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Scoring;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;
using PaDiM.Service.Admission;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Models;

namespace PaDiM.Service.Scoring;

/// <summary>Scores an image: probe, admission, decoding, backbone, distances, pixels, decision.</summary>
internal sealed partial class ScoreService(
    ImageAdmission admission,
    ScoreBatcher batcher,
    SideBySideScorer sideBySide,
    ImageDecoder decoder,
    ScoreMetrics metrics,
    TimeProvider time,
    ILogger<ScoreService> logger
)
{
    /// <summary>
    /// Scores an image with one snapshot of a model, and reports the result to the log, the metrics and the trace.
    /// </summary>
    /// <param name="model">The snapshot.</param>
    /// <param name="file">The image.</param>
    /// <param name="details">What is wanted besides the score.</param>
    /// <param name="priority">Who waits for the score.</param>
    /// <param name="part">The client's name for the part, in the form that the log may hold.</param>
    /// <param name="cancellationToken">Gives the image up while it waits.</param>
    public async Task<Outcome<ScoredMap>> ScoreAsync(
        CategoryModel model,
        RequestFile file,
        ScoreDetails details,
        Priority priority,
        string? part,
        CancellationToken cancellationToken
    )
    {
        using var trace = ScoreTrace.StartImage();
        var clock = new StageClock(time);
        if (
            !file.ProbeDecodeBytes(decoder, model.Scorer.Embedder.Decoding)
                .Succeeded(out var decodeBytes, out var problem)
        )
            return ReportFailure(model, problem, trace, part);
        var probe = clock.EndStage();

        using var lease = await admission.AcquireToScoreAsync(decodeBytes, priority, cancellationToken);
        // Refused images have a counter of their own.
        if (!lease.IsAcquired)
            return admission.Refuse();
        var timed = new Admitted(lease, clock, clock.EndStage(), probe);
        var outcome = await ScoreAsync(model, file, details, timed, trace, cancellationToken);
        if (!outcome.Succeeded(out var scored, out problem))
            return ReportFailure(model, problem, trace, part);

        var result = scored.Response;
        metrics.RecordScore(model, result);
        trace?.SetResult(result, part);
        LogScored(result.Category, result.ModelVersion, result.Decision, result.Score, result.Threshold, part);
        return outcome;
    }

    private Problem ReportFailure(CategoryModel model, Problem problem, Activity? trace, string? part)
    {
        metrics.RecordFailure(problem);
        trace?.SetProblem(problem);
        LogNotScored(model.Category, model.Version, problem.Code, part);
        return problem;
    }

    private async Task<Outcome<ScoredMap>> ScoreAsync(
        CategoryModel model,
        RequestFile file,
        ScoreDetails details,
        Admitted admitted,
        Activity? trace,
        CancellationToken cancellationToken
    )
    {
        var scorer = model.Scorer;
        var clock = admitted.Clock;
        var hash = BodyHash.Start(file.Bytes, scorer.Runtime.Threads);
        var prepared = Prepare(scorer, file, keepPixels: NeedsPixels(details), admitted);
        var isSideBySide = sideBySide.IsFasterFor(scorer);
        if (!isSideBySide)
            admitted.Lease.ReleaseCoreAndMemory();
        if (!prepared.Succeeded(out var image, out var problem))
            return problem;
        if (Refuse(model, image.Warnings) is { } refused)
        {
            ArrayPool<float>.Shared.Return(image.Input);
            return refused;
        }

        Outcome<BatchedMap> answer;
        try
        {
            answer = isSideBySide
                ? await sideBySide.ScoreAsync(scorer, image.Input, admitted.Lease, cancellationToken)
                : await batcher.ScoreAsync(scorer, image.Input, admitted.Lease.Priority, cancellationToken);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(image.Input);
        }
        clock.EndStage();
        if (!answer.Succeeded(out var batched, out problem))
            return problem;

        var map = scorer.ToPixels(batched.Map, image.Placement);
        var score = scorer.GetScore(map);
        if (!float.IsFinite(score))
            return Problems.NotFinite(scorer.Backbone.Identity.Name);
        IReadOnlyList<InputWarning> warnings = InputChecker.Check(scorer.Model, map) is { } unlike
            ? [.. image.Warnings, unlike]
            : image.Warnings;
        if (Refuse(model, warnings) is { } unlikeTraining)
            return unlikeTraining;
        metrics.RecordWarnings(model, warnings);
        var level = ModelScorer.GetDefectLevel(score, model.Threshold);
        var defects = scorer.FindDefects(map, level, image.Frame, details.Contours);
        var maxSide = NeedsPixels(details) ? ImageEncoder.GetMaxSide(details.Format) : int.MaxValue;
        if (Math.Max(image.Size.Width, image.Size.Height) > maxSide)
            return Problems.PictureTooLarge(details.Format.ToString(), maxSide);
        byte[]? drawn = null;
        if (details.Heatmap is not null)
        {
            var drawing = await DrawAsync(
                image,
                model,
                file,
                map,
                level,
                details,
                admitted.Lease.Priority,
                cancellationToken
            );
            if (!drawing.Succeeded(out drawn, out problem))
                return problem;
        }
        var postprocess = clock.EndStage();
        var total = clock.Total;
        if (trace is not null)
            WriteStages(trace, image, batched, postprocess, total);

        return new ScoredMap(
            map,
            new ScoreResponse(
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
                new ScoredImage(image.Size.Width, image.Size.Height, hash.Sha256),
                drawn,
                new Timings(
                    Round(image.Waited + batched.Waited.TotalMilliseconds),
                    Round(image.Decode),
                    Round(batched.Embedding.TotalMilliseconds),
                    Round(batched.Scoring.TotalMilliseconds),
                    Round(postprocess),
                    Round(clock.Total)
                ),
                scorer.Runtime.Device
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

    /// <summary>
    /// Decodes and prepares an image. Keeps its pixels only if a heatmap is drawn over them, and they have the size of
    /// the file.
    /// </summary>
    private Outcome<PreparedImage> Prepare(ModelScorer scorer, RequestFile file, bool keepPixels, Admitted admitted)
    {
        if (!file.ToImage(decoder, scorer.Embedder.Decoding).Succeeded(out var decoded, out var problem))
            return problem;
        var length = scorer.Embedder.PreparedLength;
        var input = ArrayPool<float>.Shared.Rent(length);
        var frame = scorer.Preprocessing.CreateFrame(decoded.Size);
        var placement = scorer.Preprocessing.Prepare(decoded.Image, frame, input.AsSpan(0, length), out var traits);
        return new PreparedImage(
            input,
            placement,
            frame,
            InputChecker.Check(scorer.Model, decoded, traits),
            keepPixels && decoded.IsFullSize ? decoded.Image : null,
            admitted.Waited,
            admitted.Probe + admitted.Clock.EndStage()
        );
    }

    /// <summary>Gets whether a picture is drawn over the pixels of the image; a mask is not.</summary>
    private static bool NeedsPixels(ScoreDetails details) => details.Heatmap is not null and not HeatmapStyle.Mask;

    /// <summary>
    /// Draws a heatmap. An image that was scaled down for scoring is decoded again, so that the score is the same with
    /// and without a heatmap.
    /// </summary>
    private async Task<Outcome<byte[]>> DrawAsync(
        PreparedImage image,
        CategoryModel model,
        RequestFile file,
        AnomalyMap map,
        double level,
        ScoreDetails details,
        Priority priority,
        CancellationToken cancellationToken
    )
    {
        var isDecodedAgain = NeedsPixels(details) && image.Pixels is null;
        var decodeBytes = 0L;
        Problem? problem = null;
        if (
            isDecodedAgain
            && !file.ProbeDecodeBytes(decoder, DecodeOptions.Default).Succeeded(out decodeBytes, out problem)
        )
            return problem;
        using var lease = await admission.AcquireAsync(decodeBytes, priority, cancellationToken);
        var mapper = new OriginalMapper(image.Frame);
        if (!NeedsPixels(details))
            return ImageEncoder.EncodeMask(mapper.ToOriginalMask(map, level), image.Size.Width, image.Size.Height);
        var pixels = image.Pixels;
        if (pixels is null)
        {
            if (!file.ToImage(decoder, DecodeOptions.Default).Succeeded(out var decoded, out problem))
                return problem;
            pixels = decoded.Image;
        }
        return HeatmapRenderer.Render(
            pixels,
            mapper.ToOriginal(map),
            model.Threshold,
            isAnomalous: double.IsFinite(level),
            details.Heatmap!.Value,
            details.Format
        );
    }

    private static void WriteStages(
        Activity trace,
        PreparedImage image,
        BatchedMap batched,
        double postprocess,
        double total
    )
    {
        var batchQueue = image.Waited + image.Decode;
        var embed = batchQueue + batched.Waited.TotalMilliseconds;
        var embedding = batched.Embedding.TotalMilliseconds;
        ScoreTrace.WriteStages(
            trace,
            batched.Trace,
            ("queue", 0, image.Waited),
            ("decode", image.Waited, image.Decode),
            ("queue", batchQueue, batched.Waited.TotalMilliseconds),
            ("embed", embed, embedding),
            ("distance", embed + embedding, batched.Scoring.TotalMilliseconds),
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
    private sealed record Admitted(ImageLease Lease, StageClock Clock, double Waited, double Probe);

    /// <summary>An image that is ready for the backbone. Its times are in milliseconds.</summary>
    private sealed record PreparedImage(
        float[] Input,
        RigidTransform Placement,
        ImageFrame Frame,
        IReadOnlyList<InputWarning> Warnings,
        RgbImage? Pixels,
        double Waited,
        double Decode
    )
    {
        public Grid Size => Frame.Original;
    }
}
