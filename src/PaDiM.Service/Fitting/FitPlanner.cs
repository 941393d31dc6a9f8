using Microsoft.EntityFrameworkCore;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Engine.Fitting;
using PaDiM.Engine.Inference;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Jobs;
using PaDiM.Service.Memory;

namespace PaDiM.Service.Fitting;

/// <summary>
/// Plans fits: reads the inputs and checks that memory and disk hold the fit. A fit is planned when it is requested and
/// again when it starts, because images change and disks fill up in between.
/// </summary>
internal sealed class FitPlanner(
    IDbContextFactory<PadimDbContext> contexts,
    SettingsResolver settings,
    EmbeddingStore embeddings,
    FitPace pace,
    MemoryPlan memory,
    DiskSpace space
)
{
    private const int FewestImages = 2;

    /// <summary>Plans a fit of a category as it is stored now.</summary>
    /// <returns>The plan, or the problem that stops the fit.</returns>
    public async Task<Outcome<FitPlan>> PlanAsync(string name, CancellationToken cancellationToken)
    {
        var (category, images, stored) = await ReadAsync(name, cancellationToken);
        if (category is null)
            return Problems.CategoryNotFound(name);
        if (images.Count < FewestImages)
            return Problems.TooFewImages(images.Count, stored);
        if (!settings.OpenBackbone(category.Settings.Backbone).Succeeded(out var backbone, out var problem))
            return problem;
        var fit = category.Settings.Fit;
        var missing = FitPipeline.CountMissing(backbone, fit, embeddings, [.. images.Select(image => image.Sha256)]);
        return Estimate(backbone, fit, images.Count, missing).Succeeded(out var estimate, out problem)
            ? new FitPlan(category, images, backbone, missing, estimate)
            : problem;
    }

    /// <summary>Starts to measure a fit; its pace improves the estimates of later ones.</summary>
    public FitPace.Watch StartWatch(FitPlan plan) => pace.Start(plan);

    private Outcome<JobEstimate> Estimate(Backbone backbone, FitSettings fit, int images, int missing)
    {
        var estimate = backbone.EstimateFit(fit, images, missing);
        if (estimate.ValidateMemory(memory.Fits.Bytes) is { } misfit)
            return Problems.FitTooLarge(misfit);
        var free = space.Available;
        if (estimate.DiskBytes > free)
            return Problems.FitTooLarge(
                $"The fit writes up to {FitEstimate.FormatBytes(estimate.DiskBytes)} of statistics, model and "
                    + $"embeddings; the data directory has {FitEstimate.FormatBytes(free)} left beside "
                    + "MinFreeBytes. Free some space, or use fewer dimensions or images."
            );
        return new JobEstimate
        {
            MemoryBytes = estimate.MemoryBytes,
            ModelBytes = estimate.ModelBytes,
            StatisticsBytes = estimate.StatisticsBytes,
            DiskBytes = estimate.DiskBytes,
            Seconds = pace.Estimate(backbone, fit, images, missing),
        };
    }

    /// <summary>Reads a category and its different images of good parts, and counts all of them.</summary>
    private async Task<(Category? Category, IReadOnlyList<PlannedImage> Images, int Stored)> ReadAsync(
        string name,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var category = await db.Categories.AsNoTracking().SingleOrDefaultAsync(c => c.Name == name, cancellationToken);
        if (category is null)
            return (null, [], 0);
        var images = await db
            .Images.Where(i => i.Category == category.ImageSource && i.Label == ImageLabel.Normal && !i.HeldOut)
            .Select(i => new
            {
                i.Sha256,
                i.PixelSha256,
                i.Width,
                i.Height,
            })
            .ToListAsync(cancellationToken);
        return (
            category,
            [
                .. images
                    .OrderBy(i => i.Sha256, StringComparer.Ordinal)
                    .DistinctBy(i => i.PixelSha256 ?? i.Sha256)
                    .Select(i => new PlannedImage(i.Sha256, new Grid(i.Height, i.Width))),
            ],
            images.Count
        );
    }
}
