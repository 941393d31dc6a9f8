using System.Buffers;
using System.Diagnostics;
using System.Security.Cryptography;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Scoring;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Models;

namespace PaDiM.Service.Scoring;

/// <summary>One image through the whole walk: decode, prepare, embed, distances, pixels, decision.</summary>
internal sealed partial class ScoreService(
    DecodingGate gate,
    ScoreBatcher batcher,
    ImageDecoder decoder,
    ScoreMetrics metrics,
    ILogger<ScoreService> logger
)
{
    /// <summary>
    /// Scores an image with one snapshot of a model, and tells the log, the metrics and the trace of it.
    /// </summary>
    /// <param name="model">The snapshot.</param>
    /// <param name="file">The image.</param>
    /// <param name="heatmap">What is to be drawn.</param>
    /// <param name="lane">Who waits for it.</param>
    /// <param name="part">The client's name for the part, as the log may hold it.</param>
    /// <param name="cancellationToken">Takes the image out of the queue.</param>
    public async Task<Outcome<ScoredMap>> ScoreAsync(
        CategoryModel model,
        RequestFile file,
        HeatmapStyle? heatmap,
        ScoreLane lane,
        string? part,
        CancellationToken cancellationToken
    )
    {
        using var trace = ScoreTrace.StartImage();
        var outcome = await ScoreAsync(model, file, heatmap, lane, trace, cancellationToken);
        if (outcome.Succeeded(out var scored, out var problem))
        {
            var result = scored.Response;
            metrics.Scored(model, result);
            trace?.Tell(result, part);
            LogScored(result.Category, result.ModelVersion, result.Decision, result.Score, result.Threshold, part);
        }
        else
        {
            metrics.Failed(problem);
            trace?.Tell(problem);
            LogNotScored(model.Category, model.Version, problem.Code, part);
        }
        return outcome;
    }

    private async Task<Outcome<ScoredMap>> ScoreAsync(
        CategoryModel model,
        RequestFile file,
        HeatmapStyle? heatmap,
        ScoreLane lane,
        Activity? trace,
        CancellationToken cancellationToken
    )
    {
        var clock = new StageClock();
        var inspector = model.Inspector;
        if (
            !(await PrepareAsync(inspector, file, heatmap is not null, clock, lane, cancellationToken)).Succeeded(
                out var ready,
                out var problem
            )
        )
            return problem;

        Outcome<Batched> answer;
        try
        {
            answer = await batcher.ScoreAsync(inspector, ready.Input, lane, cancellationToken);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(ready.Input);
        }
        clock.Lap();
        if (!answer.Succeeded(out var batched, out problem))
            return problem;

        var map = inspector.ToPixels(batched.Map, ready.Placement);
        var score = map.Max();
        if (!float.IsFinite(score))
            return Problems.NotFinite(inspector.Backbone.Identity.Name);
        var regions = RegionFinder
            .Find(map, model.Threshold)
            .Select(region => inspector.Preprocessing.ToOriginal(region, ready.Width, ready.Height))
            .ToArray();
        var drawn = heatmap is { } style
            ? await DrawAsync(ready.Pixels!, model, map, style, lane, cancellationToken)
            : null;
        var postprocess = clock.Lap();
        if (trace is not null)
        {
            var inBatch = ready.Waited + ready.Decode;
            var embedding = batched.Embedding.TotalMilliseconds;
            var scoring = batched.Scoring.TotalMilliseconds;
            var total = clock.Total;
            var embedFrom = inBatch + batched.Waited.TotalMilliseconds;
            ScoreTrace.Write(
                trace,
                batched.Trace,
                ("queue", 0, ready.Waited),
                ("decode", ready.Waited, ready.Decode),
                ("queue", inBatch, batched.Waited.TotalMilliseconds),
                ("embed", embedFrom, embedding),
                ("distance", embedFrom + embedding, scoring),
                ("postprocess", total - postprocess, postprocess)
            );
        }

        return new ScoredMap(
            map,
            new ScoreResponse(
                model.Category,
                model.Version,
                model.StandsInFor is not null,
                score,
                model.Threshold,
                inspector.Model.Calibration.GetPValue(score),
                model.Decide(score),
                regions,
                new ScoredImage(ready.Width, ready.Height, Convert.ToHexStringLower(SHA256.HashData(file.Bytes))),
                drawn,
                new Timings(
                    Round(ready.Waited + batched.Waited.TotalMilliseconds),
                    Round(ready.Decode),
                    Round(batched.Embedding.TotalMilliseconds),
                    Round(batched.Scoring.TotalMilliseconds),
                    Round(postprocess),
                    Round(clock.Total)
                ),
                inspector.Runtime.Device
            )
        );
    }

    /// <summary>
    /// Decodes and prepares; the pixels themselves are kept only where a heatmap is to be drawn over them.
    /// </summary>
    private Task<Outcome<Prepared>> PrepareAsync(
        ModelScorer inspector,
        RequestFile file,
        bool keepPixels,
        StageClock clock,
        ScoreLane lane,
        CancellationToken cancellationToken
    ) =>
        gate.RunAsync<Outcome<Prepared>>(
            async aside =>
            {
                var waited = clock.Lap();
                if (
                    !(await file.ToImageAsync(decoder, lane == ScoreLane.Line, WaitAsync)).Succeeded(
                        out var image,
                        out var problem
                    )
                )
                    return problem;
                var input = ArrayPool<float>.Shared.Rent(inspector.Embedder.PreparedLength);
                var placement = inspector.Preprocessing.Prepare(
                    image,
                    input.AsSpan(0, inspector.Embedder.PreparedLength)
                );
                return new Prepared(
                    input,
                    placement,
                    image.Width,
                    image.Height,
                    keepPixels ? image : null,
                    waited,
                    clock.Lap()
                );

                async Task WaitAsync(Task room)
                {
                    // What the header cost counts with the time of the queue: little, and before the wait.
                    await aside(room);
                    waited += clock.Lap();
                }
            },
            lane == ScoreLane.Line,
            cancellationToken
        );

    private Task<byte[]> DrawAsync(
        RgbImage image,
        CategoryModel model,
        AnomalyMap map,
        HeatmapStyle style,
        ScoreLane lane,
        CancellationToken cancellationToken
    ) =>
        gate.RunAsync(
            () =>
                HeatmapRenderer.Render(
                    image,
                    model.Inspector.Preprocessing.ToOriginal(map, image.Width, image.Height),
                    model.Threshold,
                    style
                ),
            lane == ScoreLane.Line,
            cancellationToken
        );

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
        Message = "{Category} version {ModelVersion}: no score for {Code}, part {PartId}"
    )]
    private partial void LogNotScored(string category, int modelVersion, string code, string? partId);

    private static double Round(double milliseconds) => Math.Round(milliseconds, 3);

    private sealed record Prepared(
        float[] Input,
        RigidTransform Placement,
        int Width,
        int Height,
        RgbImage? Pixels,
        double Waited,
        double Decode
    );

    /// <summary>Milliseconds since the last lap, and since the start.</summary>
    private sealed class StageClock
    {
        private readonly long _start = Stopwatch.GetTimestamp();
        private long _last = Stopwatch.GetTimestamp();

        public double Total => Stopwatch.GetElapsedTime(_start).TotalMilliseconds;

        public double Lap()
        {
            var now = Stopwatch.GetTimestamp();
            var lap = Stopwatch.GetElapsedTime(_last, now).TotalMilliseconds;
            _last = now;
            return lap;
        }
    }
}

/// <summary>A score and the map that it is the maximum of.</summary>
/// <param name="Map">Over the prepared image.</param>
/// <param name="Response">What clients see.</param>
internal sealed record ScoredMap(AnomalyMap Map, ScoreResponse Response);
