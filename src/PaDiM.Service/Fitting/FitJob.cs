using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Engine.Fitting;
using PaDiM.Engine.Inference;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Background;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Jobs;
using PaDiM.Service.Models;

namespace PaDiM.Service.Fitting;

/// <summary>
/// Runs a fit from the queue: the category's images through the pipeline, then the model to the store.
/// </summary>
internal sealed class FitJob(
    IDbContextFactory<PadimDbContext> contexts,
    SettingsResolver settings,
    BlobStore blobs,
    ModelFiles files,
    ModelStore models,
    ModelRegistry registry,
    EmbeddingStore embeddings,
    ImageDecoder decoder,
    FitCapacity capacity,
    FitPace pace,
    BackgroundScheduler threads,
    DecodingGate gate
)
{
    public async Task RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        var job = context.Job;
        var request = JsonSerializer.Deserialize<FitRequest>(context.Job.Request)!;
        var (category, images) = await ReadAsync(job.Category, cancellationToken);
        if (!settings.OpenBackbone(category.Settings.Backbone).Succeeded(out var backbone, out var problem))
            throw new JobFailedException(problem.Code, problem.Detail);
        var missing = capacity.CountMissing(backbone, category.Settings.Fit, images);
        if (!capacity.Estimate(backbone, category.Settings.Fit, images.Count, missing).Succeeded(out _, out var misfit))
            throw Failed(misfit);
        var watch = pace.Begin(backbone, category.Settings.Fit, images.Count, missing);
        var prior = request.Incremental ? await FindPriorAsync(category, backbone, cancellationToken) : null;
        var fileName = $"{job.Id}-{context.Lease.Fence}{ModelFiles.ModelSuffix}";
        var publishing = false;
        try
        {
            var model = await threads.RunAsync(() =>
                Fit(context, category, backbone, images, prior, fileName, watch, cancellationToken)
            );
            context.Report(Name(FitStage.Publishing), 1);
            // From here on the store knows what becomes of the file; what it leaves behind, the sweeper removes.
            publishing = true;
            if (
                await models.PublishAsync(
                    job.Category,
                    fileName,
                    model,
                    request.Activate,
                    context.Lease,
                    cancellationToken
                )
                is null
            )
                throw new OperationCanceledException("The job changed hands or was cancelled before it could publish.");
            watch.Done();
        }
        catch (FitException e)
        {
            throw new JobFailedException(e.Code, e.Message);
        }
        catch (ArithmeticException e) when (e is not OverflowException)
        {
            throw new JobFailedException("statistics_degenerate", $"The images give no usable statistics: {e.Message}");
        }
        finally
        {
            if (!publishing)
                files.Delete(job.Category, fileName);
        }
        await registry.RefreshAsync(job.Category, CancellationToken.None);
    }

    private PadimModel Fit(
        JobContext context,
        Category category,
        Backbone backbone,
        IReadOnlyList<string> images,
        PriorFit? prior,
        string fileName,
        FitPace.Watch watch,
        CancellationToken cancellationToken
    )
    {
        var pipeline = new FitPipeline(
            backbone,
            category.Settings.Fit,
            decoder.Patient,
            embeddings,
            threads.CreateContext(backbone.Runtime.Threads),
            ReadIgnored(category)
        );
        return pipeline.Run(
            [.. images.Select(sha256 => new TrainingImage(sha256, () => ReadInTurn(sha256, cancellationToken)))],
            prior,
            statistics => files.WriteStatistics(category.Name, fileName, statistics),
            step =>
            {
                watch.See(step.Stage);
                context.Report(Name(step.Stage), step.Progress);
            },
            cancellationToken
        );
    }

    private bool[]? ReadIgnored(Category category)
    {
        if (category.IgnoreMaskSha256 is not { } sha256)
            return null;
        var side = category.Settings.ImageSize;
        return decoder.Patient.Decode(Read(sha256)) is DecodeResult.Decoded mask
            ? MaskImage.Marks(mask.Image, new Grid(side, side))
            : throw Failed(Problems.ImageDamaged(sha256));
    }

    private byte[] ReadInTurn(string sha256, CancellationToken cancellationToken)
    {
        gate.GiveWay(cancellationToken);
        return Read(sha256);
    }

    private byte[] Read(string sha256)
    {
        if (blobs.Read(sha256) is { } bytes)
            return bytes;
        var problem = Problems.ImageDamaged(sha256);
        throw new FitException(problem.Code, problem.Detail);
    }

    private async Task<(Category Category, IReadOnlyList<string> Images)> ReadAsync(
        string name,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var category = await db.Categories.AsNoTracking().SingleOrDefaultAsync(c => c.Name == name, cancellationToken);
        if (category is null)
            throw Failed(Problems.CategoryNotFound(name));
        var images = await db
            .Images.Where(i => i.Category == name && i.Label == ImageLabel.Normal)
            .Select(i => i.Sha256)
            .ToListAsync(cancellationToken);
        return images.Count >= 2 ? (category, images) : throw Failed(Problems.TooFewImages(images.Count));
    }

    /// <summary>The newest model, where its settings and its backbone are those of this fit.</summary>
    private async Task<PriorFit?> FindPriorAsync(
        Category category,
        Backbone backbone,
        CancellationToken cancellationToken
    )
    {
        if (
            await models.FindNewestAsync(category.Name, cancellationToken) is not { } newest
            || newest.BackboneSha256 != backbone.Identity.Sha256
        )
            return null;
        try
        {
            if (
                !files.Read(newest).Succeeded(out var model, out _)
                || model.Settings != category.Settings.Fit
                || !model.Backbone.IsSameAs(backbone.Identity)
            )
                return null;
            return new PriorFit(
                model.Reduction,
                model.TrainingImages,
                () => files.ReadStatistics(category.Name, newest.FileName)
            );
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static string Name(FitStage stage) => stage.ToString().ToLowerInvariant();

    private static JobFailedException Failed(Problem problem) => new(problem.Code, problem.Detail);
}
