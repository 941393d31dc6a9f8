using System.Text.Json;
using PaDiM.Core.Models;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Fitting;
using PaDiM.Service.Background;
using PaDiM.Service.Images;
using PaDiM.Service.Jobs;
using PaDiM.Service.Models;

namespace PaDiM.Service.Fitting;

/// <summary>
/// Runs fits from the queue: passes the category's images through the pipeline and publishes the model.
/// </summary>
internal sealed class FitJob(
    FitPlanner planner,
    PriorFits priors,
    JobImages images,
    PixelHashes hashes,
    EmbeddingStore embeddings,
    ModelDrafts drafts,
    ModelRegistry models,
    BackgroundScheduler threads
)
{
    public async Task RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        var job = context.Job;
        var request = JsonSerializer.Deserialize<FitRequest>(job.Request)!;
        await hashes.FillAsync(job.Category, cancellationToken);
        var plan = (await planner.PlanAsync(job.Category, cancellationToken)).GetOrThrow();
        using var memory = models.BeginFit(plan.Estimate.MemoryBytes);
        var watch = planner.StartWatch(plan);
        var prior = request.Incremental ? await priors.FindAsync(plan, cancellationToken) : null;
        await using var draft = drafts.Create(job.Category, $"{job.Id}-{context.Lease.Fence}{ModelFiles.ModelSuffix}");
        var model = await threads.RunAsync(() => Fit(context, plan, prior, draft, watch, cancellationToken));
        context.Report(GetName(FitStage.Publishing), 1);
        if (await draft.PublishAsync(model, request.Activate, request.Shadow, context.Lease, cancellationToken) is null)
            throw new OperationCanceledException("The job changed hands or was cancelled before it could publish.");
        watch.Complete();
    }

    private PadimModel Fit(
        JobContext context,
        FitPlan plan,
        PriorFit? prior,
        ModelDraft draft,
        FitPace.Watch watch,
        CancellationToken cancellationToken
    )
    {
        var ignored = plan.Category.IgnoreMaskSha256 is { } mask
            ? images.ReadIgnoreMask(mask, plan.Settings, cancellationToken)
            : null;
        var compute = threads.CreateContext(plan.Backbone.Runtime.Threads);
        return new FitPipeline(plan.Backbone, plan.Settings, images.Decoder, embeddings, compute, ignored).Run(
            [
                .. plan.Images.Select(image => new TrainingImage(
                    image.Sha256,
                    () => images.ReadInTurn(image.Sha256, cancellationToken)
                )
                {
                    Size = image.Size,
                }),
            ],
            prior,
            statistics => Write(draft, statistics, cancellationToken),
            step =>
            {
                watch.Record(step.Stage);
                context.Report(GetName(step.Stage), step.Progress);
            },
            cancellationToken
        );
    }

    private void Write(ModelDraft draft, TrainingStatistics statistics, CancellationToken cancellationToken)
    {
        if (draft.IsLocal)
            draft.WriteStatisticsAsync(statistics, cancellationToken).AsTask().GetAwaiter().GetResult();
        else
            threads.WaitFor(async () =>
            {
                await draft.WriteStatisticsAsync(statistics, cancellationToken);
                return true;
            });
    }

    private static string GetName(FitStage stage) => stage.ToString().ToLowerInvariant();
}
