using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using PaDiM.Engine.Evaluation;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Background;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Jobs;
using PaDiM.Service.Models;

namespace PaDiM.Service.Evaluations;

/// <summary>
/// Runs an evaluation from the queue. Images that the model was fitted to count with their exact leave-one-out scores,
/// which it keeps; all others are scored. Maps are kept until the job ends: one that was cut short scores only what is
/// missing.
/// </summary>
internal sealed class EvaluationJob(
    IDbContextFactory<PadimDbContext> contexts,
    ModelRegistry registry,
    EvaluationStore store,
    BlobStore blobs,
    DataDirectory data,
    ImageDecoder decoder,
    BackgroundScheduler threads,
    DecodingGate gate
)
{
    /// <summary>Share of the time that scoring takes; the pixel metrics take the rest.</summary>
    private const double ScoringShare = 0.8;

    public async Task RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        var job = context.Job;
        var request = JsonSerializer.Deserialize<EvaluationRequest>(context.Job.Request)!;
        if (
            !(await registry.AcquireAsync(job.Category, request.Model, cancellationToken)).Succeeded(
                out var model,
                out var problem
            )
        )
            throw new JobFailedException(problem.Code, problem.Detail);
        var images = await ReadImagesAsync(job.Category, cancellationToken);
        var scratch = data.GetEvaluation(job.Id);
        try
        {
            var (figures, scores) = await threads.RunAsync(() =>
                Evaluate(
                    model,
                    images,
                    new MapStore(Path.Combine(scratch, $"{model.Version}")),
                    progress => context.Report(progress < 1 ? "scoring" : "measuring", ScoringShare * progress),
                    cancellationToken
                )
            );
            if (
                !await store.PublishAsync(
                    context.Lease,
                    job.Category,
                    model.Version,
                    figures,
                    scores,
                    cancellationToken
                )
            )
                throw new OperationCanceledException(
                    "The job changed hands or was cancelled before its result could be kept."
                );
        }
        catch (InvalidDataException e)
        {
            throw new JobFailedException("image_damaged", e.Message);
        }
        Forget(scratch);
    }

    private (EvaluationFigures, List<StoredScore>) Evaluate(
        CategoryModel model,
        IReadOnlyList<StoredImage> images,
        MapStore kept,
        Action<double> progress,
        CancellationToken cancellationToken
    )
    {
        var trained = model.Inspector.Model.TrainingImages;
        var calibration = model.Inspector.Model.Calibration;
        var leftOut = trained
            .Select((sha256, i) => (sha256, Score: calibration.Scores[i]))
            .ToDictionary(pair => pair.sha256, pair => pair.Score, StringComparer.Ordinal);
        var seen = images
            .Where(image => image.Label == ImageLabel.Normal && leftOut.ContainsKey(image.Sha256))
            .ToArray();
        var unseen = images.Except(seen).ToArray();
        var compute = threads.CreateContext(model.Inspector.Runtime.Threads);
        var report = new EvaluationPipeline(model.Inspector, decoder.Patient, compute, kept).Run(
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

    /// <summary>
    /// A job that was stopped goes on from its maps; after one that failed or is gone, and where files are still in use
    /// here, the sweeper cleans up.
    /// </summary>
    private static void Forget(string scratch)
    {
        try
        {
            if (Directory.Exists(scratch))
                Directory.Delete(scratch, recursive: true);
        }
        catch (IOException)
        {
            // The result stands; the sweeper comes by.
        }
    }

    private TestImage ToTest(StoredImage image, CancellationToken cancellationToken) =>
        new(
            image.Id,
            image.Label == ImageLabel.Normal ? null : image.Defect ?? "anomalous",
            () =>
            {
                gate.GiveWay(cancellationToken);
                return Read(image.Sha256);
            },
            image.MaskSha256 is { } mask ? () => Read(mask) : null
        );

    private byte[] Read(string sha256) =>
        blobs.Read(sha256) ?? throw new InvalidDataException(Problems.ImageDamaged(sha256).Detail);

    private async Task<IReadOnlyList<StoredImage>> ReadImagesAsync(string category, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db
            .Images.AsNoTracking()
            .Where(i => i.Category == category)
            .OrderBy(i => i.Id)
            .ToListAsync(cancellationToken);
    }
}
