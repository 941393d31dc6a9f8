using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Options;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Onnx.Pipelines;
using PaDiM.Service.Hosting;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Brings concurrent requests together: whatever waits for the same backbone, size and reduction when it becomes free goes through the backbone in one batch, and
/// through each model's distances in one pass; on a device, what waits for the same model. One batch at a time, on all threads: inferences never fight for
/// cores. By default nobody waits for a batch to fill. The queue is bounded by <see cref="ScoreQueue"/>.
/// </summary>
internal sealed partial class ScoreBatcher(IOptions<PadimOptions> options, TimeProvider time, ILogger<ScoreBatcher> logger) : BackgroundService
{
    private readonly Channel<Work> waiting = Channel.CreateUnbounded<Work>(new UnboundedChannelOptions { SingleReader = true });
    private float[] inputs = [];

    /// <summary>Scores one prepared image.</summary>
    /// <param name="inspector">The model.</param>
    /// <param name="prepared">Shape <c>(3, h, w)</c>; read until the answer is there.</param>
    /// <param name="cancellationToken">Takes the image out of the queue.</param>
    public async Task<Outcome<Batched>> ScoreAsync(Inspector inspector, float[] prepared, CancellationToken cancellationToken)
    {
        var work = new Work(inspector, prepared, Stopwatch.GetTimestamp(), cancellationToken);
        await waiting.Writer.WriteAsync(work, cancellationToken);
        return await work.Done.Task;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Requests under way are answered before the process ends: the host waits for them first, then stops this loop.
        var held = new List<Work>();
        while (held.Count > 0 || await MoreAsync(stoppingToken))
        {
            Collect(held);
            if (held.Count > 0 && await FillAsync(held)) Collect(held);
            foreach (var gone in held.Where(work => work.Cancelled.IsCancellationRequested).ToArray())
            {
                held.Remove(gone);
                gone.Done.TrySetCanceled(gone.Cancelled);
            }
            if (held.Count == 0) continue;
            var batch = held.Where(work => work.Inspector.SharesBatchesWith(held[0].Inspector)).Take(options.Value.MaxBatchSize).ToArray();
            held.RemoveAll(batch.Contains);
            Run(batch);
        }
    }

    private async Task<bool> MoreAsync(CancellationToken stopping)
    {
        try
        {
            return await waiting.Reader.WaitToReadAsync(stopping);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private void Collect(List<Work> held)
    {
        while (held.Count < options.Value.QueueCapacity && waiting.Reader.TryRead(out var work)) held.Add(work);
    }

    /// <summary>Lets a batch that is not full wait for more, as long as the settings allow its oldest image to; tells whether it did.</summary>
    private async Task<bool> FillAsync(List<Work> held)
    {
        var left = TimeSpan.FromMilliseconds(options.Value.MaxBatchWaitMs) - Stopwatch.GetElapsedTime(held[0].Since);
        if (held.Count >= options.Value.MaxBatchSize || left <= TimeSpan.Zero) return false;
        await Task.Delay(left, time);
        return true;
    }

    private void Run(Work[] batch)
    {
        try
        {
            var began = Stopwatch.GetTimestamp();
            var prepared = Gather(batch);
            if (batch[0].Inspector.TryScoreOnDevice(prepared, batch.Length, out var maps)) Answer(batch, maps, began, Stopwatch.GetElapsedTime(began), TimeSpan.Zero);
            else ScoreOnHost(batch, prepared, began);
        }
        catch (OnnxRuntimeException) when (batch.Length > 1)
        {
            // The device may have room for one image where it has none for many, and what fails with one image is no fault of those beside it.
            foreach (var work in batch.Where(work => !work.Done.Task.IsCompleted)) Run([work]);
        }
        catch (OnnxRuntimeException e)
        {
            LogDeviceFailed(e, batch[0].Inspector.Embedder.Backbone.Runtime.Device);
            batch[0].Done.TrySetResult(Problems.DeviceFailed());
        }
        catch (Exception e)
        {
            foreach (var work in batch) work.Done.TrySetException(e);
        }
    }

    private static void ScoreOnHost(Work[] batch, float[] prepared, long began)
    {
        using var features = batch[0].Inspector.Embedder.Extract(prepared, batch.Length);
        var embedding = Stopwatch.GetElapsedTime(began);
        foreach (var sameModel in batch.Index().GroupBy(entry => entry.Item.Inspector))
        {
            var (works, from) = (sameModel.ToArray(), Stopwatch.GetTimestamp());
            var distances = sameModel.Key.Distances([.. works.Select(entry => features.TapsOf(entry.Index))]);
            Answer([.. works.Select(entry => entry.Item)], [.. distances.Select(map => new RawMap.Patches(map))], began, embedding, Stopwatch.GetElapsedTime(from));
        }
    }

    private static void Answer(Work[] works, RawMap[] maps, long began, TimeSpan embedding, TimeSpan scoring)
    {
        for (var i = 0; i < works.Length; i++)
            works[i].Done.TrySetResult(new Batched(maps[i], Stopwatch.GetElapsedTime(works[i].Since, began), embedding, scoring));
    }

    /// <summary>The prepared images one behind the other; of a single one, its own.</summary>
    private float[] Gather(Work[] batch)
    {
        if (batch.Length == 1) return batch[0].Prepared;
        var length = batch[0].Inspector.Embedder.PreparedLength;
        if (inputs.Length < batch.Length * length) inputs = GC.AllocateUninitializedArray<float>(batch.Length * length);
        for (var i = 0; i < batch.Length; i++) batch[i].Prepared.AsSpan(0, length).CopyTo(inputs.AsSpan(i * length));
        return inputs;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "An image could not be scored on the device {Device}")]
    private partial void LogDeviceFailed(Exception exception, string device);

    private sealed record Work(Inspector Inspector, float[] Prepared, long Since, CancellationToken Cancelled)
    {
        public TaskCompletionSource<Outcome<Batched>> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>What an image got from its batch.</summary>
/// <param name="Map">Before it is laid over the image.</param>
/// <param name="Waited">Until its batch began.</param>
/// <param name="Embedding">That its batch spent in the backbone; on a device, with all that follows there.</param>
/// <param name="Scoring">That its batch spent on distances; nothing on a device, which does not tell them apart.</param>
internal sealed record Batched(RawMap Map, TimeSpan Waited, TimeSpan Embedding, TimeSpan Scoring);
