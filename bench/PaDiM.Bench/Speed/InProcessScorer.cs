using System.Diagnostics;
using PaDiM.Bench.Measuring;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Engine;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Scoring;
using PaDiM.Imaging;

namespace PaDiM.Bench.Speed;

/// <summary>
/// Scores decoded images as the service does, but without the service: several images are prepared and upsampled in
/// parallel, and pass through the backbone together.
/// </summary>
internal sealed class InProcessScorer : IDisposable
{
    private readonly ModelScorer _scorer;
    private readonly ComputeContext _compute;
    private readonly ParallelOptions _parallel;
    private float[] _prepared = [];

    public InProcessScorer(PadimModel model, Backbone backbone)
    {
        _scorer = new ModelScorer(model, backbone);
        _compute = ComputeContext.OnThreadPool(backbone.Runtime.Threads);
        _parallel = _compute.ToParallelOptions();
    }

    public static string[] StageNames =>
        ["prepare (resize, normalise)", "backbone with reduction", "distances", "upsample, smooth, maximum"];

    /// <summary>Gets the milliseconds of each stage, in the order of <see cref="StageNames"/>.</summary>
    public Times[] Stages { get; } = [.. StageNames.Select(_ => new Times())];

    public Times Distances => Stages[2];

    /// <summary>Clears the times of the stages.</summary>
    public void Clear()
    {
        foreach (var stage in Stages)
            stage.Clear();
    }

    /// <summary>Scores images.</summary>
    public float[] Score(IReadOnlyList<RgbImage> images)
    {
        var embedder = _scorer.Embedder;
        var count = images.Count;
        var frames = images
            .Select(image => embedder.Preprocessing.CreateFrame(new Grid(image.Height, image.Width)))
            .ToArray();
        var stage = 0;
        var last = Stopwatch.GetTimestamp();
        var length = embedder.PreparedLength;
        if (_prepared.Length < count * length)
            _prepared = new float[count * length];
        For(count, i => embedder.Preprocessing.Prepare(images[i], _prepared.AsSpan(i * length, length)));
        Lap();
        using var features = embedder.Extract(_prepared, count, _compute);
        Lap();
        var maps = _scorer.ComputeDistances([.. Enumerable.Range(0, count).Select(features.GetTaps)], _compute);
        Lap();
        var scores = new float[count];
        For(
            count,
            i =>
                scores[i] = _scorer.GetScore(
                    _scorer.ToPixels(new RawMap.Patches(maps[i]), frames[i], default),
                    frames[i]
                )
        );
        Lap();
        return scores;

        void Lap()
        {
            var now = Stopwatch.GetTimestamp();
            Stages[stage++].Add(Stopwatch.GetElapsedTime(last, now).TotalMilliseconds);
            last = now;
        }
    }

    public void Dispose() => _scorer.Dispose();

    private void For(int count, Action<int> body)
    {
        if (count == 1)
            body(0);
        else
            Parallel.For(0, count, _parallel, body);
    }
}
