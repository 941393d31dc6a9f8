using System.Diagnostics;
using Microsoft.Extensions.Options;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Engine;
using PaDiM.Engine.Scoring;
using PaDiM.Service.Admission;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Http;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Gathers concurrent images into batches. All images that wait for the same backbone, size and reduction when it
/// becomes free pass through the backbone together, and through the distances of each model together; on a device, all
/// images that wait for the same model. One batch runs at a time, on all threads. Under load, images on the CPU go
/// through <see cref="SideBySideScorer"/> instead. The tiles of a large image come a batch at a time, so that others
/// wait for no more than that.
/// </summary>
/// <remarks>
/// If no batch is running, the request of an image becomes the leader and runs the batch on its own thread, so that a
/// single image never changes threads. By default no batch waits to fill. Images of the line go before those of
/// batches. The admission bounds the queue.
/// </remarks>
internal sealed class ScoreBatcher(
    IOptions<ScoringOptions> options,
    ScoreMetrics metrics,
    TimeProvider time,
    DeviceWatch device
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
        return await ScoreAsync(entries);
    }

    /// <summary>Scores the tiles of an image that are prepared.</summary>
    /// <param name="scorer">The model.</param>
    /// <param name="image">The image; used until the result is returned.</param>
    /// <param name="startedAt">When the first of its tiles started to wait, a timestamp.</param>
    /// <param name="priority">Who waits for the score.</param>
    /// <param name="cancellationToken">Gives the image up while it waits.</param>
    public async Task<Outcome<BatchedMap>> ScoreTilesAsync(
        ModelScorer scorer,
        TiledImage image,
        long startedAt,
        Priority priority,
        CancellationToken cancellationToken
    )
    {
        var entry = new BatchEntry(
            scorer,
            image.Prepared,
            priority,
            time.GetTimestamp(),
            Activity.Current?.Context ?? default,
            cancellationToken
        )
        {
            Tiles = image,
            StartedAt = startedAt,
        };
        return (await ScoreAsync([entry]))[0];
    }

    private async Task<Outcome<BatchedMap>[]> ScoreAsync(BatchEntry[] entries)
    {
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

    /// <summary>
    /// Waits for a full batch, for as long as the settings let the oldest image wait. Tiles do not wait: an image would
    /// wait once per batch of them.
    /// </summary>
    private async Task WaitToFillAsync(BatchEntry oldest)
    {
        if (oldest.Tiles is not null)
            return;
        var left = TimeSpan.FromMilliseconds(options.Value.MaxBatchWaitMs) - time.GetElapsedTime(oldest.EnqueuedAt);
        if (left > TimeSpan.Zero && !HasFullBatch())
            await Task.Delay(left, time);
    }

    private bool HasFullBatch()
    {
        lock (_gate)
            return _waiting.Sum(entry => entry.Count) >= options.Value.MaxBatchSize;
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
            var batch = new List<BatchEntry>();
            var count = 0;
            foreach (var entry in _waiting.Where(entry => IsUrgent(entry) == isUrgent))
                if (entry.Scorer.SharesBatchesWith(first.Scorer) && (batch.Count == 0 || count + entry.Count <= size))
                {
                    batch.Add(entry);
                    count += entry.Count;
                }
            _waiting.RemoveAll(batch.Contains);
            return [.. batch];
        }
    }

    private bool IsUrgent(BatchEntry entry) =>
        entry.Priority == Priority.Line || time.GetElapsedTime(entry.StartedAt) > MaxBatchDelay;

    private void Run(BatchEntry[] batch)
    {
        try
        {
            var count = batch.Sum(entry => entry.Count);
            metrics.RecordBatch(count);
            using var trace = ScoreTrace.StartBatch(batch.Select(entry => entry.Trace));
            var start = time.GetTimestamp();
            var prepared = Gather(batch, count);
            if (batch[0].Scorer.TryScoreOnDevice(prepared, count, out var maps))
                Complete(batch, maps, trace, start, time.GetElapsedTime(start), TimeSpan.Zero);
            else
                ScoreOnHost(batch, prepared, count, trace, start);
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
            device.RecordFailure(e);
        }
        catch (Exception e)
        {
            foreach (var entry in batch)
                entry.Completion.TrySetException(e);
        }
    }

    private void ScoreOnHost(BatchEntry[] batch, float[] prepared, int count, Activity? trace, long start)
    {
        var compute = ComputeContext.OnThreadPool(batch[0].Scorer.Runtime.Threads, bindsCaller: true);
        using var features = batch[0].Scorer.Embedder.Extract(prepared, count, compute);
        var embedding = time.GetElapsedTime(start);
        var first = 0;
        var located = new List<(BatchEntry Entry, int First)>();
        foreach (var entry in batch)
        {
            located.Add((entry, first));
            first += entry.Count;
        }
        foreach (var (entry, at) in located.Where(entry => entry.Entry.Tiles is not null))
        {
            var distancesStart = time.GetTimestamp();
            entry.Tiles!.Add(features, at, compute);
            Complete([entry], [entry.Tiles.Map], trace, start, embedding, time.GetElapsedTime(distancesStart));
        }
        foreach (
            var sameModel in located
                .Where(entry => entry.Entry.Tiles is null)
                .GroupBy(entry => entry.Entry.Scorer, entry => entry)
        )
        {
            var entries = sameModel.ToArray();
            var distancesStart = time.GetTimestamp();
            var distances = sameModel.Key.ComputeDistances(
                [.. entries.Select(entry => features.GetTaps(entry.First))],
                compute
            );
            Complete(
                [.. entries.Select(entry => entry.Entry)],
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
    private float[] Gather(BatchEntry[] batch, int count)
    {
        if (batch.Length == 1)
            return batch[0].Prepared;
        var length = batch[0].Scorer.Embedder.PreparedLength;
        if (_inputs.Length < count * length)
            _inputs = GC.AllocateUninitializedArray<float>(count * length);
        var first = 0;
        foreach (var entry in batch)
        {
            entry.Prepared.AsSpan(0, entry.Count * length).CopyTo(_inputs.AsSpan(first * length));
            first += entry.Count;
        }
        return _inputs;
    }
}
