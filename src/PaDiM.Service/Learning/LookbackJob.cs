using System.Text.Json;
using PaDiM.Service.Data;
using PaDiM.Service.Inspections;
using PaDiM.Service.Jobs;
using PaDiM.Service.Models;

namespace PaDiM.Service.Learning;

/// <summary>
/// Decides inspections of the past again. Scores that the version gave then are in the rows; the photographs of others are
/// scored, where they are kept.
/// </summary>
internal sealed class LookbackJob(
    ModelRegistry registry,
    InspectionStore inspections,
    InspectionHeatmaps kept,
    QuietScorer scorer,
    LookbackStore store,
    DataDirectory data
)
{
    private const string Stage = "replaying";

    public async Task RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        var job = context.Job;
        var request = JsonSerializer.Deserialize<LookbackRequest>(job.Request)!;
        var (from, to) = request.GetSpan(job.CreatedAt);
        var model = (await registry.AcquireAsync(job.Category, request.ModelVersion, cancellationToken)).GetOrThrow();
        var threshold = request.Threshold ?? model.Threshold;
        double? review = model.ReviewThreshold is { } doubtful ? Math.Min(threshold, doubtful) : null;
        var source = await store.GetSourceAsync(job.Category, cancellationToken);
        var decidedBy = source == job.Category ? null : job.Category;
        var total = Math.Max(1, await store.CountAsync(source, from, to, cancellationToken));
        var tally = new LookbackTally();
        using (var known = new KnownScores(data.GetEvaluation(job.Id), model.Version))
        {
            var done = 0;
            var query = InspectionQuery.Of(source) with { From = from, To = to };
            await foreach (var row in inspections.ReadAsync(query, int.MaxValue, cancellationToken))
            {
                if (row.DecidedBy == decidedBy)
                {
                    var isOwn = row.ModelVersion == model.Version;
                    var score =
                        isOwn ? row.Score
                        : request.ModelVersion is null || row.ImageBytes is null ? null
                        : await ScoreAsync(model, row, known, cancellationToken);
                    tally.Add(
                        row,
                        score,
                        CategoryModel.Decide(score ?? 0, threshold, review),
                        isScored: !isOwn && score is not null
                    );
                }
                context.Report(Stage, Math.Min(1, (double)++done / total));
            }
        }
        cancellationToken.ThrowIfCancellationRequested();
        JobContext.ThrowIfNotStored(
            await store.PublishAsync(
                context.Lease,
                job.Category,
                model.Version,
                tally.ToFigures(threshold, from, to),
                tally.Flips,
                cancellationToken
            )
        );
        data.DeleteEvaluation(job.Id);
    }

    /// <summary>Scores a kept photograph; null if it cannot be read or scored.</summary>
    private async Task<double?> ScoreAsync(
        CategoryModel model,
        StoredInspection row,
        KnownScores known,
        CancellationToken cancellationToken
    )
    {
        if (known.TryGet(row.Key, out var earlier))
            return earlier;
        if (!(await kept.ReadImageAsync(row, cancellationToken)).Succeeded(out var bytes, out _))
            return null;
        var file = KeptLayout.Read(row.Layout, bytes);
        if (!(await scorer.ScoreAsync(model, file, cancellationToken)).Succeeded(out var score, out _))
            return null;
        known.Add(row.Key, score);
        return score;
    }
}
