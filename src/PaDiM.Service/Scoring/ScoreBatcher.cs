using System.Diagnostics;
using Microsoft.Extensions.Options;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Engine;
using PaDiM.Engine.Scoring;
using PaDiM.Service.Admission;
using PaDiM.Service.Http;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Gathers concurrent images into batches. All images that wait for the same backbone, size and reduction when it
/// becomes free pass through the backbone together, and through the distances of each model together; on a device, all
/// images that wait for the same model. One batch runs at a time, on all threads. Under load, images on the CPU go
/// through <see cref="SideBySideScorer"/> instead.
/// </summary>
/// <remarks>
/// If no batch is running, the request of an image becomes the leader and runs the batch on its own thread, so that a
/// single image never changes threads. By default no batch waits to fill. Images of the line go before those of
/// batches. The admission bounds the queue.
/// </remarks>
internal sealed partial class ScoreBatcher(
    IOptions<ScoringOptions> options,
    ScoreMetrics metrics,
    TimeProvider time,
    ILogger<ScoreBatcher> logger
)
{
    /// <summary>
    /// After this time, an image of a batch counts as urgent: a line that never pauses must not starve it.
    /// </summary>
    private static readonly TimeSpan MaxBatchDelay = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly List<BatchEntry> _waiting = [];
    private bool _hasLeader;

    /// <summary>Reused by every batch: there is one leader at a time.</summary>
    private float[] _inputs = [];

    /// <summary>Scores one prepared image.</summary>
    /// <param name="scorer">The model.</param>
    /// <param name="prepared">Shape <c>(3, h, w)</c>; read until the result is returned.</param>
    /// <param name="priority">Who waits for the score.</param>
    /// <param name="cancellationToken">Gives the image up while it waits.</param>
    public async Task<Outcome<BatchedMap>> ScoreAsync(
        ModelScorer scorer,
        float[] prepared,
        Priority priority,
        CancellationToken cancellationToken
    ) => (await ScoreAsync([(scorer, prepared)], priority, cancellationToken))[0];

    /// <summary>
    /// Scores the prepared images of one request, which wait together, so that those that can share a batch do.
    /// </summary>
    /// <param name="images">The models, with what each scores: shape <c>(3, h, w)</c>, read until the results are
    /// returned.</param>
    /// <param name="priority">Who waits for the scores.</param>
    /// <param name="cancellationToken">Gives the images up while they wait.</param>
    public async Task<Outcome<BatchedMap>[]> ScoreAsync(
        IReadOnlyList<(ModelScorer Scorer, float[] Prepared)> images,
        Priority priority,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetTimestamp();
        var trace = Activity.Current?.Context ?? default;
        BatchEntry[] entries =
        [
            .. images.Select(image => new BatchEntry(
                image.Scorer,
                image.Prepared,
                priority,
                now,
                trace,
                cancellationToken
            )),
        ];
        if (Enqueue(entries))
            await LeadAsync(entries[0]);
        return await Task.WhenAll(entries.Select(entry => entry.Completion.Task));
    }

    /// <summary>Adds images to the queue; true if their request has to lead.</summary>
    private bool Enqueue(BatchEntry[] entries)
    {
        lock (_gate)
        {
            _waiting.AddRange(entries);
            if (_hasLeader)
                return false;
            _hasLeader = true;
            return true;
        }
    }

    /// <summary>Runs one batch and leaves the next to another thread: the leader has a request to answer.</summary>
    private async Task LeadAsync(BatchEntry oldest)
    {
        try
        {
            await WaitToFillAsync(oldest);
            if (DequeueBatch() is { Length: > 0 } batch)
                Run(batch);
        }
        catch (Exception e)
        {
            // One request gets the exception, and those behind it go on.
            lock (_gate)
                _waiting.Remove(oldest);
            oldest.Completion.TrySetException(e);
        }
        HandOver();
    }

    private void HandOver()
    {
        lock (_gate)
        {
            _hasLeader = _waiting.Count > 0;
            // Outside the context of the request that ends here: the next batch does not belong to its trace.
            if (_hasLeader)
                ThreadPool.UnsafeQueueUserWorkItem(oldest => _ = LeadAsync(oldest), _waiting[0], preferLocal: false);
        }
    }

    /// <summary>Waits for a full batch, for as long as the settings let the oldest image wait.</summary>
    private async Task WaitToFillAsync(BatchEntry oldest)
    {
        var left = TimeSpan.FromMilliseconds(options.Value.MaxBatchWaitMs) - time.GetElapsedTime(oldest.EnqueuedAt);
        if (left > TimeSpan.Zero && !HasFullBatch())
            await Task.Delay(left, time);
    }

    private bool HasFullBatch()
    {
        lock (_gate)
            return _waiting.Count >= options.Value.MaxBatchSize;
    }

    /// <summary>
    /// Takes the oldest urgent image, or else the oldest image, and the images of the same urgency that can share its
    /// batch. Cancelled images are dropped. Of images of batches, only as many are taken as run side by side: the next
    /// image of the line then waits no longer than for one image.
    /// </summary>
    private BatchEntry[] DequeueBatch()
    {
        lock (_gate)
        {
            _waiting.RemoveAll(entry =>
                entry.Cancellation.IsCancellationRequested && entry.Completion.TrySetCanceled(entry.Cancellation)
            );
            if (_waiting.Count == 0)
                return [];
            var first = _waiting.FirstOrDefault(IsUrgent) ?? _waiting[0];
            var isUrgent = IsUrgent(first);
            var size = isUrgent
                ? options.Value.MaxBatchSize
                : Math.Min(options.Value.MaxBatchSize, first.Scorer.PreferredBatchSize);
            var batch = _waiting
                .Where(entry => IsUrgent(entry) == isUrgent && entry.Scorer.SharesBatchesWith(first.Scorer))
                .Take(size)
                .ToArray();
            _waiting.RemoveAll(batch.Contains);
            return batch;
        }
    }

    private bool IsUrgent(BatchEntry entry) =>
        entry.Priority == Priority.Line || time.GetElapsedTime(entry.EnqueuedAt) > MaxBatchDelay;

    private void Run(BatchEntry[] batch)
    {
        try
        {
            metrics.RecordBatch(batch.Length);
            using var trace = ScoreTrace.StartBatch(batch.Select(entry => entry.Trace));
            var start = time.GetTimestamp();
            var prepared = Gather(batch);
            if (batch[0].Scorer.TryScoreOnDevice(prepared, batch.Length, out var maps))
                Complete(batch, maps, trace, start, time.GetElapsedTime(start), TimeSpan.Zero);
            else
                ScoreOnHost(batch, prepared, trace, start);
        }
        catch (OnnxRuntimeException) when (batch.Length > 1)
        {
            // The device may have memory for one image but not for many, and an image that fails must not fail those
            // beside it.
            foreach (var entry in batch.Where(entry => !entry.Completion.Task.IsCompleted))
                Run([entry]);
        }
        catch (OnnxRuntimeException e)
        {
            batch[0].Completion.TrySetResult(Problems.DeviceFailed());
            LogDeviceFailed(e, batch[0].Scorer.Runtime.Device);
        }
        catch (Exception e)
        {
            foreach (var entry in batch)
                entry.Completion.TrySetException(e);
        }
    }

    private void ScoreOnHost(BatchEntry[] batch, float[] prepared, Activity? trace, long start)
    {
        var compute = ComputeContext.OnThreadPool(batch[0].Scorer.Runtime.Threads, bindsCaller: true);
        using var features = batch[0].Scorer.Embedder.Extract(prepared, batch.Length, compute);
        var embedding = time.GetElapsedTime(start);
        foreach (var sameModel in batch.Index().GroupBy(entry => entry.Item.Scorer))
        {
            var entries = sameModel.ToArray();
            var distancesStart = time.GetTimestamp();
            var distances = sameModel.Key.ComputeDistances(
                [.. entries.Select(entry => features.GetTaps(entry.Index))],
                compute
            );
            Complete(
                [.. entries.Select(entry => entry.Item)],
                [.. distances.Select(map => new RawMap.Patches(map))],
                trace,
                start,
                embedding,
                time.GetElapsedTime(distancesStart)
            );
        }
    }

    private void Complete(
        BatchEntry[] batch,
        RawMap[] maps,
        Activity? trace,
        long start,
        TimeSpan embedding,
        TimeSpan scoring
    )
    {
        foreach (var (entry, map) in batch.Zip(maps))
        {
            var waited = time.GetElapsedTime(entry.EnqueuedAt, start);
            var result = new BatchedMap(map, waited, embedding, scoring, trace?.Context ?? default);
            entry.Completion.TrySetResult(result);
        }
    }

    /// <summary>Concatenates the prepared images; a single one is used as it is.</summary>
    private float[] Gather(BatchEntry[] batch)
    {
        if (batch.Length == 1)
            return batch[0].Prepared;
        var length = batch[0].Scorer.Embedder.PreparedLength;
        if (_inputs.Length < batch.Length * length)
            _inputs = GC.AllocateUninitializedArray<float>(batch.Length * length);
        for (var i = 0; i < batch.Length; i++)
            batch[i].Prepared.AsSpan(0, length).CopyTo(_inputs.AsSpan(i * length));
        return _inputs;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The device {Device} failed to score an image")]
    private partial void LogDeviceFailed(Exception exception, string device);
}
