using System.Diagnostics;
using System.Security.Cryptography;
using PaDiM.Core.Scoring;
using PaDiM.Onnx.Imaging;
using PaDiM.Service.Hosting;
using PaDiM.Service.Models;

namespace PaDiM.Service.Scoring;

/// <summary>One image through the whole walk: decode, prepare, embed, distances, pixels, decision.</summary>
internal sealed class ScoreService(ScoreQueue queue, EmbeddingBatcher batcher, ImageDecoder decoder)
{
    /// <summary>Scores the bytes of an image with one snapshot of a model.</summary>
    public async Task<Outcome<ScoredMap>> ScoreAsync(CategoryModel model, byte[] bytes, HeatmapStyle? heatmap, CancellationToken cancellationToken)
    {
        var clock = new StageClock();
        var inspector = model.Inspector;
        if (!(await PrepareAsync(inspector, bytes, clock, cancellationToken)).Succeeded(out var ready, out var problem)) return problem;

        var (embedding, waited) = await batcher.EmbedAsync(inspector.Embedder, ready.Prepared, cancellationToken);
        var embed = clock.Lap() - waited.TotalMilliseconds;
        var distances = inspector.Distances(embedding);
        var distance = clock.Lap();

        var map = inspector.ToPixels(distances);
        var score = map.Max();
        if (!float.IsFinite(score)) return Problems.NotFinite(inspector.Embedder.Backbone.Identity.Name);
        var regions = RegionFinder.Find(map, model.Threshold)
            .Select(region => inspector.Embedder.Preprocessing.ToOriginal(region, ready.Image.Width, ready.Image.Height)).ToArray();
        var drawn = heatmap is { } style ? Draw(ready.Image, model, map, style) : null;
        var postprocess = clock.Lap();

        return new ScoredMap(map, new ScoreResponse(
            model.Category, model.Version, score, model.Threshold, inspector.Model.Calibration.PValue(score), model.Decide(score), regions,
            new ScoredImage(ready.Image.Width, ready.Image.Height, Convert.ToHexStringLower(SHA256.HashData(bytes))), drawn,
            new Timings(Round(ready.Waited + waited.TotalMilliseconds), Round(ready.Decode), Round(embed), Round(distance), Round(postprocess), Round(clock.Total)),
            inspector.Embedder.Backbone.Runtime.Device));
    }

    private async Task<Outcome<(RgbImage Image, float[] Prepared, double Waited, double Decode)>> PrepareAsync(
        Onnx.Pipelines.Inspector inspector, byte[] bytes, StageClock clock, CancellationToken cancellationToken)
    {
        await queue.Decoding.WaitAsync(cancellationToken);
        try
        {
            var waited = clock.Lap();
            var result = decoder.Decode(bytes);
            if (result is not DecodeResult.Decoded { Image: var image }) return Problems.Image((DecodeResult.Refused)result);
            var prepared = new float[inspector.Embedder.PreparedLength];
            inspector.Embedder.Preprocessing.Prepare(image, prepared);
            return (image, prepared, waited, clock.Lap());
        }
        finally
        {
            queue.Decoding.Release();
        }
    }

    private static byte[] Draw(RgbImage image, CategoryModel model, AnomalyMap map, HeatmapStyle style) =>
        HeatmapRenderer.Render(image, model.Inspector.Embedder.Preprocessing.ToOriginal(map, image.Width, image.Height), model.Threshold, style);

    private static double Round(double milliseconds) => Math.Round(milliseconds, 3);

    /// <summary>Milliseconds since the last lap, and since the start.</summary>
    private sealed class StageClock
    {
        private readonly long start = Stopwatch.GetTimestamp();
        private long last = Stopwatch.GetTimestamp();

        public double Total => Stopwatch.GetElapsedTime(start).TotalMilliseconds;

        public double Lap()
        {
            var now = Stopwatch.GetTimestamp();
            var lap = Stopwatch.GetElapsedTime(last, now).TotalMilliseconds;
            last = now;
            return lap;
        }
    }
}

/// <summary>A score and the map that it is the maximum of.</summary>
/// <param name="Map">Over the prepared image.</param>
/// <param name="Response">What clients see.</param>
internal sealed record ScoredMap(AnomalyMap Map, ScoreResponse Response);
