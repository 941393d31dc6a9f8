using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Options;
using PaDiM.Core.Embedding;
using PaDiM.Onnx.Backbones;
using PaDiM.Onnx.Pipelines;
using PaDiM.Service.Hosting;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Brings concurrent requests together: whatever waits for the same backbone and size when it becomes free goes through in one batch. Nobody waits
/// for a batch to fill. The queue is bounded by <see cref="ScoreQueue"/>.
/// </summary>
internal sealed class EmbeddingBatcher(IOptions<PadimOptions> options) : BackgroundService
{
    private readonly Channel<Work> waiting = Channel.CreateUnbounded<Work>(new UnboundedChannelOptions { SingleReader = true });

    /// <summary>Embeds one prepared image.</summary>
    /// <param name="embedder">Backbone and reduction.</param>
    /// <param name="prepared">Shape <c>(3, h, w)</c>.</param>
    /// <param name="cancellationToken">Takes the image out of the queue.</param>
    /// <returns>The embedding, and the time it waited before its batch began.</returns>
    public async Task<(PatchEmbedding Embedding, TimeSpan Waited)> EmbedAsync(Embedder embedder, float[] prepared, CancellationToken cancellationToken)
    {
        var work = new Work(embedder, prepared, Stopwatch.GetTimestamp(), cancellationToken);
        await waiting.Writer.WriteAsync(work, cancellationToken);
        return await work.Done.Task.WaitAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Requests under way are answered before the process ends: the host waits for them first, then stops this loop.
        var held = new List<Work>();
        while (held.Count > 0 || await MoreAsync(stoppingToken))
        {
            while (held.Count < options.Value.QueueCapacity && waiting.Reader.TryRead(out var work)) held.Add(work);
            held.RemoveAll(work => work.Cancelled.IsCancellationRequested);
            if (held.Count == 0) continue;
            var batch = held.Where(work => work.Key == held[0].Key).Take(options.Value.MaxBatchSize).ToArray();
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

    private static void Run(Work[] batch)
    {
        var began = Stopwatch.GetTimestamp();
        try
        {
            var embedder = batch[0].Embedder;
            var prepared = batch.Length == 1 ? batch[0].Prepared : [.. batch.SelectMany(work => work.Prepared)];
            using var features = embedder.Backbone.Extract(prepared, batch.Length, embedder.Preprocessing.PreparedSize);
            for (var i = 0; i < batch.Length; i++)
                batch[i].Done.TrySetResult((batch[i].Embedder.Reduce(features, i), Stopwatch.GetElapsedTime(batch[i].Since, began)));
        }
        catch (Exception e)
        {
            foreach (var work in batch) work.Done.TrySetException(e);
        }
    }

    private sealed record Work(Embedder Embedder, float[] Prepared, long Since, CancellationToken Cancelled)
    {
        public TaskCompletionSource<(PatchEmbedding, TimeSpan)> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Images of equal keys may share a batch.</summary>
        public (Backbone, Grid) Key { get; } = (Embedder.Backbone, Embedder.Preprocessing.PreparedSize);
    }
}
