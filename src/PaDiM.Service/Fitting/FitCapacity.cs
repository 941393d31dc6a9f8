using Microsoft.EntityFrameworkCore;
using PaDiM.Core.Models;
using PaDiM.Engine.Fitting;
using PaDiM.Engine.Inference;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Jobs;

namespace PaDiM.Service.Fitting;

/// <summary>
/// What a fit needs, and whether this machine holds it: asked before a job is queued, and again when it begins, for
/// disks fill up in between.
/// </summary>
internal sealed class FitCapacity(
    IDbContextFactory<PadimDbContext> contexts,
    SettingsResolver settings,
    EmbeddingStore embeddings,
    FitPace pace,
    DiskSpace space
)
{
    /// <summary>What a fit of a category as it is stored needs, or what speaks against it.</summary>
    /// <param name="name">The category.</param>
    /// <param name="cancellationToken">Stops the look into the database.</param>
    public async Task<Outcome<JobEstimate>> EstimateAsync(string name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (
            await db
                .Categories.AsNoTracking()
                .SingleOrDefaultAsync(category => category.Name == name, cancellationToken)
            is not { } found
        )
            return Problems.CategoryNotFound(name);
        if (!settings.OpenBackbone(found.Settings.Backbone).Succeeded(out var backbone, out var problem))
            return problem;
        var images = await db
            .Images.Where(i => i.Category == name && i.Label == ImageLabel.Normal)
            .Select(i => i.Sha256)
            .ToListAsync(cancellationToken);
        return Estimate(backbone, found.Settings.Fit, images.Count, CountMissing(backbone, found.Settings.Fit, images));
    }

    /// <summary>What a fit needs, or what speaks against it.</summary>
    /// <param name="backbone">The network.</param>
    /// <param name="fit">Its settings.</param>
    /// <param name="images">Images of normal parts.</param>
    /// <param name="missing">Those of them that are still to be embedded: the others take no more room.</param>
    public Outcome<JobEstimate> Estimate(Backbone backbone, FitSettings fit, int images, int missing)
    {
        var estimate = backbone.EstimateFit(fit, images, missing);
        if (estimate.FindMisfit(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes) is { } misfit)
            return Problems.FitTooLarge(misfit);
        var free = space.Available;
        if (estimate.DiskBytes > free)
            return Problems.FitTooLarge(
                $"The fit writes up to {FitEstimate.FormatBytes(estimate.DiskBytes)} of statistics, model and embeddings; {FitEstimate.FormatBytes(free)} may be taken where the data lies, MinFreeBytes apart. Make room, or use fewer dimensions or images."
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

    /// <summary>How many images are still to be embedded.</summary>
    public int CountMissing(Backbone backbone, FitSettings fit, IReadOnlyCollection<string> images) =>
        FitPipeline.CountMissing(backbone, fit, embeddings, images);
}
