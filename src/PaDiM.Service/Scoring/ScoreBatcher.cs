using System.Diagnostics;
using Microsoft.Extensions.Options;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Engine;
using PaDiM.Engine.Scoring;
using PaDiM.Service.Http;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Brings concurrent requests together: whatever waits for the same backbone, size and reduction when it becomes free
/// goes through the backbone in one batch, and through each model's distances in one pass; on a device, what waits for
/// the same model. One batch at a time, on all threads: inferences never fight for cores. A request that finds nobody
/// at work leads: it runs its batch on its own thread, so that a lone image is handed to no other. By default nobody
/// waits for a batch to fill. Images of the line go before those of batches. The queue is bounded by <see
/// cref="ScoreQueue"/>.
/// </summary>
internal sealed partial class ScoreBatcher(
    IOptions<ScoringOptions> options,
    ScoreMetrics metrics,
    TimeProvider time,
    ILogger<ScoreBatcher> logger
)
{
    /// <summary>A line that never pauses must not keep batches waiting for ever.</summary>
    private static readonly TimeSpan BatchPatience = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly List<Work> _waiting = [];
    private bool _isLed;
    private float[] _inputs = [];

    /// <summary>Scores one prepared image.</summary>
    /// <param name="inspector">The model.</param>
    /// <param name="prepared">Shape <c>(3, h, w)</c>; read until the answer is there.</param>
    /// <param name="lane">Who waits for it.</param>
    /// <param name="cancellationToken">Takes the image out of the queue.</param>
    public async Task<Outcome<Batched>> ScoreAsync(
        ModelScorer inspector,
        float[] prepared,
        ScoreLane lane,
        CancellationToken cancellationToken
    )
    {
        var work = new Work(
            inspector,
            prepared,
            lane,
            Stopwatch.GetTimestamp(),
            Activity.Current?.Context ?? default,
            cancellationToken
        );
        if (Enter(work))
            await LeadAsync(work);
        return await work.Done.Task;
    }

    /// <summary>Puts an image into the queue; true where nobody is at work.</summary>
    private bool Enter(Work work)
    {
        lock (_gate)
        {
            _waiting.Add(work);
            if (_isLed)
                return false;
            _isLed = true;
            return true;
        }
    }

    /// <summary>Runs one batch and leaves those after it to another thread: the leader has an answer to give.</summary>
    private async Task LeadAsync(Work oldest)
    {
        try
        {
            await FillAsync(oldest);
            if (Take() is { Length: > 0 } batch)
                Run(batch);
        }
        catch (Exception e)
        {
            // Whatever it was, it is told to one request and does not keep those after it.
            lock (_gate)
                _waiting.Remove(oldest);
            oldest.Done.TrySetException(e);
        }
        HandOver();
    }

    private void HandOver()
    {
        lock (_gate)
        {
            _isLed = _waiting.Count > 0;
            // Outside the context of the request that ends here: the next batch has nothing to do with its trace.
            if (_isLed)
                ThreadPool.UnsafeQueueUserWorkItem(oldest => _ = LeadAsync(oldest), _waiting[0], preferLocal: false);
        }
    }

    /// <summary>
    /// Lets a batch that is not full wait for more, as long as the settings allow its oldest image to.
    /// </summary>
    private async Task FillAsync(Work oldest)
    {
        var left = TimeSpan.FromMilliseconds(options.Value.MaxBatchWaitMs) - Stopwatch.GetElapsedTime(oldest.Since);
        if (left > TimeSpan.Zero && !HasFullBatch())
            await Task.Delay(left, time);
    }

    private bool HasFullBatch()
    {
        lock (_gate)
            return _waiting.Count >= options.Value.MaxBatchSize;
    }

    /// <summary>
    /// One pass: the oldest image of the first lane that has any, and those of that lane that go with it; with those
    /// gone that nobody waits for any more. Images of batches take as many at a time as run side by side, so that the
    /// next image of the line waits no longer than for one; after a second they count as the line's.
    /// </summary>
    private Work[] Take()
    {
        lock (_gate)
        {
            foreach (var gone in _waiting.Where(work => work.Cancelled.IsCancellationRequested))
                gone.Done.TrySetCanceled(gone.Cancelled);
            _waiting.RemoveAll(work => work.Done.Task.IsCanceled);
            if (_waiting.Count == 0)
                return [];
            var first = _waiting.FirstOrDefault(IsUrgent) ?? _waiting[0];
            var most = IsUrgent(first)
                ? options.Value.MaxBatchSize
                : Math.Min(options.Value.MaxBatchSize, first.Inspector.PreferredBatchSize);
            var batch = _waiting
                .Where(work => IsUrgent(work) == IsUrgent(first) && work.Inspector.SharesBatchesWith(first.Inspector))
                .Take(most)
                .ToArray();
            _waiting.RemoveAll(batch.Contains);
            return batch;
        }
    }

    private static bool IsUrgent(Work work) =>
        work.Lane == ScoreLane.Line || Stopwatch.GetElapsedTime(work.Since) > BatchPatience;

    private void Run(Work[] batch)
    {
        try
        {
            metrics.Batched(batch.Length);
            using var trace = ScoreTrace.StartBatch(batch.Select(work => work.Trace));
            var began = Stopwatch.GetTimestamp();
            var prepared = Gather(batch);
            if (batch[0].Inspector.TryScoreOnDevice(prepared, batch.Length, out var maps))
                Answer(batch, maps, trace, began, Stopwatch.GetElapsedTime(began), TimeSpan.Zero);
            else
                ScoreOnHost(batch, prepared, trace, began);
        }
        catch (OnnxRuntimeException) when (batch.Length > 1)
        {
            // The device may have room for one image where it has none for many, and what fails with one image is no
            // fault of those beside it.
            foreach (var work in batch.Where(work => !work.Done.Task.IsCompleted))
                Run([work]);
        }
        catch (OnnxRuntimeException e)
        {
            batch[0].Done.TrySetResult(Problems.DeviceFailed());
            LogDeviceFailed(e, batch[0].Inspector.Runtime.Device);
        }
        catch (Exception e)
        {
            foreach (var work in batch)
                work.Done.TrySetException(e);
        }
    }

    private static void ScoreOnHost(Work[] batch, float[] prepared, Activity? trace, long began)
    {
        var compute = ComputeContext.OnThreadPool(batch[0].Inspector.Runtime.Threads, bindsCaller: true);
        using var features = batch[0].Inspector.Embedder.Extract(prepared, batch.Length, compute);
        var embedding = Stopwatch.GetElapsedTime(began);
        foreach (var sameModel in batch.Index().GroupBy(entry => entry.Item.Inspector))
        {
            var works = sameModel.ToArray();
            var from = Stopwatch.GetTimestamp();
            var distances = sameModel.Key.ComputeDistances(
                [.. works.Select(entry => features.GetTaps(entry.Index))],
                compute
            );
            Answer(
                [.. works.Select(entry => entry.Item)],
                [.. distances.Select(map => new RawMap.Patches(map))],
                trace,
                began,
                embedding,
                Stopwatch.GetElapsedTime(from)
            );
        }
    }

    private static void Answer(
        Work[] works,
        RawMap[] maps,
        Activity? trace,
        long began,
        TimeSpan embedding,
        TimeSpan scoring
    )
    {
        for (var i = 0; i < works.Length; i++)
            works[i]
                .Done.TrySetResult(
                    new Batched(
                        maps[i],
                        Stopwatch.GetElapsedTime(works[i].Since, began),
                        embedding,
                        scoring,
                        trace?.Context ?? default
                    )
                );
    }

    /// <summary>The prepared images one behind the other; of a single one, its own.</summary>
    private float[] Gather(Work[] batch)
    {
        if (batch.Length == 1)
            return batch[0].Prepared;
        var length = batch[0].Inspector.Embedder.PreparedLength;
        if (_inputs.Length < batch.Length * length)
            _inputs = GC.AllocateUninitializedArray<float>(batch.Length * length);
        for (var i = 0; i < batch.Length; i++)
            batch[i].Prepared.AsSpan(0, length).CopyTo(_inputs.AsSpan(i * length));
        return _inputs;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "An image could not be scored on the device {Device}")]
    private partial void LogDeviceFailed(Exception exception, string device);

    private sealed record Work(
        ModelScorer Inspector,
        float[] Prepared,
        ScoreLane Lane,
        long Since,
        ActivityContext Trace,
        CancellationToken Cancelled
    )
    {
        public TaskCompletionSource<Outcome<Batched>> Done { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>What an image got from its batch.</summary>
/// <param name="Map">Before it is laid over the image.</param>
/// <param name="Waited">Until its batch began.</param>
/// <param name="Embedding">That its batch spent in the backbone; on a device, with all that follows there.</param>
/// <param name="Scoring">That its batch spent on distances; nothing on a device, which does not tell them
/// apart.</param>
/// <param name="Trace">The span of its batch; none while nobody listens.</param>
internal sealed record Batched(
    RawMap Map,
    TimeSpan Waited,
    TimeSpan Embedding,
    TimeSpan Scoring,
    ActivityContext Trace
);
