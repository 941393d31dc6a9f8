using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using PaDiM.Engine.Evaluation;
using PaDiM.Service.Background;
using PaDiM.Service.Data;
using PaDiM.Service.Images;
using PaDiM.Service.Jobs;
using PaDiM.Service.Models;

namespace PaDiM.Service.Evaluations;

/// <summary>
/// Runs evaluations from the queue. Images that the model was fitted to count with their exact leave-one-out scores,
/// which the model keeps; all others are scored. Maps are kept until the job ends: a job that was interrupted scores
/// only what is missing.
/// </summary>
internal sealed class EvaluationJob(
    IDbContextFactory<PadimDbContext> contexts,
    ModelRegistry registry,
    EvaluationStore store,
    JobImages images,
    DataDirectory data,
    BackgroundScheduler threads
)
{
    /// <summary>The share of scoring in the progress; the pixel metrics are the rest.</summary>
    private const double ScoringShare = 0.8;

    public async Task RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        var job = context.Job;
        var request = JsonSerializer.Deserialize<EvaluationRequest>(job.Request)!;
        var model = (await registry.AcquireAsync(job.Category, request.Model, cancellationToken)).GetOrThrow();
        var labelled = await ReadImagesAsync(job.Category, cancellationToken);
        var scratch = data.GetEvaluation(job.Id);
        var (figures, scores) = await threads.RunAsync(() =>
            Evaluate(
                model,
                labelled,
                new MapStore(Path.Combine(scratch, $"{model.Version}")),
                progress => context.Report(progress < 1 ? "scoring" : "measuring", ScoringShare * progress),
                cancellationToken
            )
        );
        JobContext.ThrowIfNotStored(
            await store.PublishAsync(context.Lease, job.Category, model.Version, figures, scores, cancellationToken)
        );
        data.DeleteEvaluation(job.Id);
    }

    private (EvaluationFigures, List<StoredScore>) Evaluate(
        CategoryModel model,
        IReadOnlyList<StoredImage> labelled,
        MapStore kept,
        Action<double> progress,
        CancellationToken cancellationToken
    )
    {
        var trained = model.Scorer.Model.TrainingImages;
        var calibration = model.Scorer.Model.Calibration;
        var leftOut = trained
            .Select((sha256, i) => (sha256, Score: calibration.Scores[i]))
            .ToDictionary(pair => pair.sha256, pair => pair.Score, StringComparer.Ordinal);
        // The fit counts copies once. The others have the score of the copy that it counted: a direct score would be
        // too low.
        foreach (
            var copies in labelled
                .Where(image => image.PixelSha256 is not null)
                .GroupBy(image => image.PixelSha256)
                .Where(copies => copies.Any(image => leftOut.ContainsKey(image.Sha256)))
        )
        foreach (var copy in copies)
            leftOut.TryAdd(copy.Sha256, copies.Max(image => leftOut.GetValueOrDefault(image.Sha256)));
        var seen = labelled
            .Where(image => image.Label == ImageLabel.Normal && leftOut.ContainsKey(image.Sha256))
            .ToArray();
        var unseen = labelled.Except(seen).ToArray();
        var compute = threads.CreateContext(model.Scorer.Runtime.Threads);
        var report = new EvaluationPipeline(model.Scorer, images.Decoder, compute, kept).Run(
            [.. unseen.Select(image => ToTest(image, cancellationToken))],
            model.Threshold,
            progress,
            cancellationToken,
            [.. seen.Select(image => (float)leftOut[image.Sha256])]
        );
        var anomalous = unseen.Where(image => image.Label == ImageLabel.Anomalous).ToArray();
        var counts = new EvaluatedImages(
            unseen.Length - anomalous.Length,
            seen.Length,
            anomalous.Length,
            anomalous.Count(image => image.MaskSha256 is not null)
        );
        return (
            EvaluationFigures.From(counts, report, model.ReviewThreshold),
            [
                .. seen.Select(image => new StoredScore
                {
                    ImageId = image.Id,
                    Label = image.Label,
                    Score = leftOut[image.Sha256],
                    LeaveOneOut = true,
                }),
                .. unseen.Select(
                    (image, i) =>
                        new StoredScore
                        {
                            ImageId = image.Id,
                            Label = image.Label,
                            Defect = image.Defect,
                            Score = report.Scores[i],
                        }
                ),
            ]
        );
    }

    private TestImage ToTest(StoredImage image, CancellationToken cancellationToken) =>
        new(
            image.Id,
            image.Label == ImageLabel.Normal ? null : image.Defect ?? "anomalous",
            () => images.ReadInTurn(image.Sha256, cancellationToken),
            image.MaskSha256 is { } mask ? () => images.Read(mask, cancellationToken) : null
        );

    private async Task<IReadOnlyList<StoredImage>> ReadImagesAsync(string category, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var source = await db.GetImageSourceAsync(category, cancellationToken);
        return await db
            .Images.AsNoTracking()
            .Where(i => i.Category == source)
            .OrderBy(i => i.Id)
            .ToListAsync(cancellationToken);
    }
}
