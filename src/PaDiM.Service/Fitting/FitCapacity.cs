using Microsoft.EntityFrameworkCore;
using PaDiM.Core.Models;
using PaDiM.Service.Categories;
using PaDiM.Service.Hosting;
using PaDiM.Service.Storage;

namespace PaDiM.Service.Fitting;

/// <summary>Whether this machine holds a fit: asked before a job is queued, and again when it begins, for disks fill up in between.</summary>
internal sealed class FitCapacity(IDbContextFactory<PadimDbContext> contexts, SettingsResolver settings, DataDirectory data)
{
    /// <summary>What speaks against a fit of a category as it is stored; null when nothing does.</summary>
    /// <param name="name">The category, which exists.</param>
    /// <param name="images">Images of normal parts.</param>
    /// <param name="cancellationToken">Stops the look into the database.</param>
    public async Task<Problem?> FindMisfitAsync(string name, int images, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Categories.AsNoTracking().SingleOrDefaultAsync(category => category.Name == name, cancellationToken) is { } found ? FindMisfit(found.Settings, images) : Problems.CategoryNotFound(name);
    }

    /// <summary>What speaks against a fit; null when nothing does.</summary>
    /// <param name="category">Its settings.</param>
    /// <param name="images">Images of normal parts.</param>
    public Problem? FindMisfit(CategorySettings category, int images)
    {
        if (!settings.OpenBackbone(category.Backbone).Succeeded(out var backbone, out var problem)) return problem;
        var estimate = backbone.EstimateFit(category.Fit, images);
        if (estimate.FindMisfit(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes) is { } misfit) return Problems.FitTooLarge(misfit);
        var free = new DriveInfo(data.Root).AvailableFreeSpace;
        return estimate.DiskBytes > free
            ? Problems.FitTooLarge($"The fit writes up to {FitEstimate.Size(estimate.DiskBytes)} of statistics, model and embeddings; {FitEstimate.Size(free)} are free where the data lies. Make room, or use fewer dimensions or images.")
            : null;
    }
}
