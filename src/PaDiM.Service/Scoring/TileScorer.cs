using System.Diagnostics;
using Microsoft.Extensions.Options;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Engine.Scoring;
using PaDiM.Service.Admission;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Http;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Scores large images tile by tile, in turns: after each batch of tiles the image goes back into the line, so that no
/// other image waits for more than one batch of its tiles. On its way through <see cref="ScoreBatcher"/> a batch has as
/// many tiles as there are threads; side by side, where each image has one thread, it has one.
/// </summary>
internal sealed class TileScorer(
    ScoreBatcher batcher,
    SideBySideScorer sideBySide,
    ImageAdmission admission,
    IOptions<ScoringOptions> options,
    ScoreMetrics metrics,
    TimeProvider time,
    DeviceWatch device
)
{
    /// <summary>Scores an image.</summary>
    /// <param name="scorer">The model.</param>
    /// <param name="image">The image; no tile has been prepared yet.</param>
    /// <param name="lease">The image's lease, which holds a core, and memory for the decoded image.</param>
    /// <param name="cancellationToken">Gives the image up between two batches.</param>
    public Task<Outcome<BatchedMap>> ScoreAsync(
        ModelScorer scorer,
        TiledImage image,
        ImageLease lease,
        CancellationToken cancellationToken
    )
    {
        if (sideBySide.IsFasterFor(scorer))
            return ScoreSideBySideAsync(scorer, image, lease, cancellationToken);
        lease.ReleaseCore();
        return ScoreInBatchesAsync(scorer, image, lease.Priority, cancellationToken);
    }

    /// <summary>Scores an image in batches with others.</summary>
    /// <param name="scorer">The model.</param>
    /// <param name="image">The image; no tile has been prepared yet.</param>
    /// <param name="priority">Who waits for the score.</param>
    /// <param name="cancellationToken">Gives the image up between two batches.</param>
    public async Task<Outcome<BatchedMap>> ScoreInBatchesAsync(
        ModelScorer scorer,
        TiledImage image,
        Priority priority,
        CancellationToken cancellationToken
    )
    {
        var start = time.GetTimestamp();
        var batch = Math.Min(scorer.PreferredBatchSize, options.Value.MaxBatchSize);
        BatchedMap? sum = null;
        while (image.PrepareNext(batch))
        {
            var answer = await batcher.ScoreTilesAsync(scorer, image, start, priority, cancellationToken);
            if (!answer.Succeeded(out var turn, out var problem))
                return problem;
            sum = sum is null
                ? turn
                : turn with
                {
                    Waited = sum.Waited + turn.Waited,
                    Embedding = sum.Embedding + turn.Embedding,
                    Scoring = sum.Scoring + turn.Scoring,
                };
        }
        return sum!;
    }

    private async Task<Outcome<BatchedMap>> ScoreSideBySideAsync(
        ModelScorer scorer,
        TiledImage image,
        ImageLease lease,
        CancellationToken cancellationToken
    )
    {
        using var trace = ScoreTrace.StartBatch([Activity.Current?.Context ?? default]);
        TimeSpan waited = default,
            embedding = default,
            scoring = default;
        ImageLease? turn = null;
        try
        {
            while (image.PrepareNext(1))
            {
                cancellationToken.ThrowIfCancellationRequested();
                metrics.RecordBatch(1);
                var start = time.GetTimestamp();
                using (var features = scorer.Embedder.Extract(image.Prepared, 1, SideBySideScorer.OneThread))
                {
                    var embedded = time.GetTimestamp();
                    image.Add(features, 0, SideBySideScorer.OneThread);
                    embedding += time.GetElapsedTime(start, embedded);
                    scoring += time.GetElapsedTime(embedded);
                }
                if (!image.HasMore)
                    break;
                var released = time.GetTimestamp();
                var next = admission.RequestCore(SideBySideScorer.GetImagesAhead(scorer), lease.Priority);
                // Only now: the image keeps its place behind the next few, and is not behind all that come.
                if (turn is null)
                    lease.ReleaseCore();
                turn?.Dispose();
                turn = next;
                await turn.Granted.WaitAsync(cancellationToken);
                waited += time.GetElapsedTime(released);
            }
        }
        catch (OnnxRuntimeException e)
        {
            device.RecordFailure(e);
            return Problems.DeviceFailed();
        }
        finally
        {
            turn?.Dispose();
        }
        return new BatchedMap(image.Map, waited, embedding, scoring, trace?.Context ?? default);
    }
}
