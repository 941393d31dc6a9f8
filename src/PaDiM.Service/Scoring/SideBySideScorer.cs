using System.Diagnostics;
using Microsoft.Extensions.Options;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Engine;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Scoring;
using PaDiM.Service.Admission;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Http;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Scores images side by side on the host, each on one thread: as many images as cores are decoded or in the backbone
/// at the same time, and none waits for another.
/// </summary>
/// <remarks>
/// An image that has its features waits for a core again, behind the next few images. The first to get one computes the
/// distances of all images of its model that have their features: the statistics of a model are read from memory once
/// for all of them.
/// </remarks>
internal sealed class SideBySideScorer(
    ImageAdmission admission,
    IOptions<ScoringOptions> options,
    ScoreMetrics metrics,
    TimeProvider time,
    DeviceWatch device
)
{
    /// <summary>
    /// The images per core that go before the distances of an image: more images share a pass over the statistics then,
    /// and few enough wait for it that the cores never run out of images.
    /// </summary>
    private const int ImagesPerCore = 2;

    /// <summary>The thread that an image has side by side with others: the caller's.</summary>
    public static ComputeContext OneThread { get; } = ComputeContext.OnThreadPool(1);

    private readonly Lock _gate = new();
    private readonly List<EmbeddedImage> _embedded = [];

    /// <summary>
    /// Gets whether images are to be scored side by side now: at least as many are in progress as there are threads.
    /// Fewer images are scored together, on all threads, and so are images that the settings let wait for a batch.
    /// </summary>
    public bool IsFasterFor(ModelScorer scorer) =>
        !scorer.ScoresOnDevice && options.Value.MaxBatchWaitMs == 0 && admission.SlotsInUse >= scorer.Runtime.Threads;

    /// <summary>Gets the number of images that go before the next turn of an image in progress.</summary>
    public static int GetImagesAhead(ModelScorer scorer) => ImagesPerCore * scorer.Runtime.Threads;

    /// <summary>Scores one prepared image.</summary>
    /// <param name="scorer">The model, scored on the host.</param>
    /// <param name="prepared">Shape <c>(3, h, w)</c>.</param>
    /// <param name="lease">The image's lease, which holds a core.</param>
    /// <param name="cancellationToken">Gives the image up while it waits.</param>
    public async Task<Outcome<BatchedMap>> ScoreAsync(
        ModelScorer scorer,
        float[] prepared,
        ImageLease lease,
        CancellationToken cancellationToken
    )
    {
        metrics.RecordBatch(1);
        using var trace = ScoreTrace.StartBatch([Activity.Current?.Context ?? default]);
        var start = time.GetTimestamp();
        BackboneFeatures features;
        try
        {
            features = scorer.Embedder.Extract(prepared, 1, OneThread);
        }
        catch (OnnxRuntimeException e)
        {
            device.RecordFailure(e);
            return Problems.DeviceFailed();
        }
        var embedded = time.GetTimestamp();
        var turn = admission.RequestCore(GetImagesAhead(scorer), lease.Priority);
        var image = new EmbeddedImage(scorer, features, turn);
        lock (_gate)
            _embedded.Add(image);
        lease.ReleaseCoreAndMemory();
        try
        {
            await Task.WhenAny(image.Turn.Granted, image.Completion.Task).WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            if (TryTake(image))
                image.Dispose();
            throw;
        }
        if (TryTake(image))
            ComputeDistances(image);
        var (map, scoring) = await image.Completion.Task;
        return new BatchedMap(
            map,
            time.GetElapsedTime(embedded) - scoring,
            time.GetElapsedTime(start, embedded),
            scoring,
            trace?.Context ?? default
        );
    }

    /// <summary>Takes an image out of those that wait; false if a pass has taken it.</summary>
    private bool TryTake(EmbeddedImage image)
    {
        lock (_gate)
            return _embedded.Remove(image);
    }

    /// <summary>Computes the distances of an image, and of those of its model that wait.</summary>
    private void ComputeDistances(EmbeddedImage first)
    {
        EmbeddedImage[] images = [first, .. TakeOthers(first.Scorer)];
        try
        {
            var start = time.GetTimestamp();
            var maps = first.Scorer.ComputeDistances([.. images.Select(image => image.Features.GetTaps(0))], OneThread);
            var scoring = time.GetElapsedTime(start);
            foreach (var (image, map) in images.Zip(maps))
                image.Completion.TrySetResult((new RawMap.Patches(map), scoring));
        }
        catch (Exception e)
        {
            foreach (var image in images)
                image.Completion.TrySetException(e);
        }
        finally
        {
            foreach (var image in images)
                image.Dispose();
        }
    }

    private EmbeddedImage[] TakeOthers(ModelScorer scorer)
    {
        lock (_gate)
        {
            var others = _embedded
                .Where(image => ReferenceEquals(image.Scorer, scorer))
                .Take(options.Value.MaxBatchSize - 1)
                .ToArray();
            _embedded.RemoveAll(others.Contains);
            return others;
        }
    }
}
