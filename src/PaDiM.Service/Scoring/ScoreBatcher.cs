using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Options;
using PaDiM.Core.Scoring;
using PaDiM.Onnx.Backbones;
using PaDiM.Onnx.Pipelines;
using PaDiM.Service.Hosting;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Brings concurrent requests together: whatever waits for the same backbone, size and reduction when it becomes free goes through the backbone in one batch, and
/// through each model's distances in one pass. One batch at a time, on all threads: inferences never fight for cores. By default nobody waits for a batch to
/// fill. The queue is bounded by <see cref="ScoreQueue"/>.
/// </summary>
internal sealed class ScoreBatcher(IOptions<PadimOptions> options, TimeProvider time) : BackgroundService
{
    private readonly Channel<Work> waiting = Channel.CreateUnbounded<Work>(new UnboundedChannelOptions { SingleReader = true });
    private float[] inputs = [];

    /// <summary>Scores one prepared image.</summary>
    /// <param name="inspector">The model.</param>
    /// <param name="prepared">Shape <c>(3, h, w)</c>; read until the answer is there.</param>
    /// <param name="cancellationToken">Takes the image out of the queue.</param>
    public async Task<Batched> DistancesAsync(Inspector inspector, float[] prepared, CancellationToken cancellationToken)
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
            var batch = held.Where(work => work.Inspector.Embedder.SharesBatchesWith(held[0].Inspector.Embedder)).Take(options.Value.MaxBatchSize).ToArray();
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
            using var features = Extract(batch);
            var embedded = Stopwatch.GetTimestamp();
            foreach (var sameModel in batch.Index().GroupBy(entry => entry.Item.Inspector))
            {
                var (works, from) = (sameModel.ToArray(), Stopwatch.GetTimestamp());
                var maps = sameModel.Key.Distances([.. works.Select(entry => features.TapsOf(entry.Index))]);
                var distance = Stopwatch.GetElapsedTime(from);
                for (var i = 0; i < works.Length; i++)
                {
                    var (_, work) = works[i];
                    work.Done.TrySetResult(new Batched(maps[i], Stopwatch.GetElapsedTime(work.Since, began), Stopwatch.GetElapsedTime(began, embedded), distance));
                }
            }
        }
        catch (Exception e)
        {
            foreach (var work in batch) work.Done.TrySetException(e);
        }
    }

    private BackboneFeatures Extract(Work[] batch)
    {
        var embedder = batch[0].Inspector.Embedder;
        var (length, prepared) = (embedder.PreparedLength, batch[0].Prepared);
        if (batch.Length > 1)
        {
            if (inputs.Length < batch.Length * length) inputs = GC.AllocateUninitializedArray<float>(batch.Length * length);
            for (var i = 0; i < batch.Length; i++) batch[i].Prepared.AsSpan(0, length).CopyTo(inputs.AsSpan(i * length));
            prepared = inputs;
        }
        return embedder.Extract(prepared, batch.Length);
    }

    private sealed record Work(Inspector Inspector, float[] Prepared, long Since, CancellationToken Cancelled)
    {
        public TaskCompletionSource<Batched> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>What an image got from its batch.</summary>
/// <param name="Distances">At patch positions.</param>
/// <param name="Waited">Until its batch began.</param>
/// <param name="Embedding">That its batch spent in the backbone.</param>
/// <param name="Scoring">That its batch spent on distances.</param>
internal sealed record Batched(AnomalyMap Distances, TimeSpan Waited, TimeSpan Embedding, TimeSpan Scoring);
