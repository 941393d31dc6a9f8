using Microsoft.EntityFrameworkCore;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Scoring;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Memory;

namespace PaDiM.Service.Categories;

/// <summary>The categories in the database.</summary>
internal sealed class CategoryStore(
    IDbContextFactory<PadimDbContext> contexts,
    MemoryPlan memory,
    BackboneRuntime runtime,
    TimeProvider time
)
{
    private static readonly ImageCounts NoImages = new(0, 0, 0);

    /// <summary>
    /// Creates or updates a category. Refuses to pin a model that does not fit into the cache beside the models already
    /// pinned.
    /// </summary>
    public async Task<Outcome<(CategoryResponse Category, bool Created)>> PutAsync(
        string name,
        CategoryValues values,
        string who,
        CancellationToken cancellationToken
    )
    {
        // Of two changes at the same time, the last one wins.
        for (; ; )
        {
            if (
                !(await SaveAsync(name, values, null, who, cancellationToken)).Succeeded(out var saved, out var problem)
            )
                return problem;
            if (saved is { } done)
                return done;
        }
    }

    /// <summary>
    /// Changes some values of a category. Of two changes at the same time both count, because the second one is made
    /// again from what the first one stored.
    /// </summary>
    /// <param name="name">Name of the category.</param>
    /// <param name="change">Gets the new values of the category, or why it cannot have them.</param>
    /// <param name="who">The caller.</param>
    /// <param name="cancellationToken">Cancels before the change is stored.</param>
    public async Task<Outcome<CategoryResponse>> ChangeAsync(
        string name,
        Func<Category, Outcome<CategoryValues>> change,
        string who,
        CancellationToken cancellationToken
    )
    {
        for (; ; )
        {
            if (await FindAsync(name, cancellationToken) is not { } category)
                return Problems.CategoryNotFound(name);
            if (!change(category).Succeeded(out var values, out var problem))
                return problem;
            var save = await SaveAsync(name, values, category.Revision, who, cancellationToken);
            if (!save.Succeeded(out var saved, out problem))
                return problem;
            if (saved is { } done)
                return done.Category;
        }
    }

    /// <summary>Stores the values of a category.</summary>
    /// <param name="name">Name of the category.</param>
    /// <param name="values">The values.</param>
    /// <param name="revision">The revision that they were derived from; null to create the category if it does not
    /// exist, and to replace whatever it has.</param>
    /// <param name="who">The caller.</param>
    /// <param name="cancellationToken">Cancels before they are stored.</param>
    /// <returns>The category; null if another request changed it meanwhile.</returns>
    private async Task<Outcome<(CategoryResponse Category, bool Created)?>> SaveAsync(
        string name,
        CategoryValues values,
        long? revision,
        string who,
        CancellationToken cancellationToken
    )
    {
        var (settings, falseRejectRate, pinned) = values;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        // If two models fit only one at a time, the second request sees the first, and so does one that takes the
        // images of a category that is deleted.
        await using var transaction =
            pinned || settings.ImagesOf is not null ? await db.BeginExclusiveAsync(cancellationToken) : null;
        var now = time.GetUtcNow().UtcDateTime;
        var category = await db.Categories.SingleOrDefaultAsync(c => c.Name == name, cancellationToken);
        if (revision is not null && category?.Revision != revision)
            return ((CategoryResponse, bool)?)null;
        if (
            pinned
            && category is { Pinned: false }
            && await CheckRoomAsync(db, category, cancellationToken) is { } noRoom
        )
            return noRoom;
        var created = category is null;
        if (category is not null)
        {
            if (settings.ImagesOf is not null && settings.ImagesOf != category.Settings.ImagesOf)
                return ImagesAreFixed();
            settings = settings with { ImagesOf = category.Settings.ImagesOf };
        }
        else if (await CheckSourceAsync(db, name, settings.ImagesOf, cancellationToken) is { } noSource)
            return noSource;
        if (category is null)
            db.Add(
                category = new Category
                {
                    Name = name,
                    Settings = settings,
                    FalseRejectRate = falseRejectRate,
                    Pinned = pinned,
                    Revision = now.Ticks,
                    CreatedAt = now,
                    UpdatedAt = now,
                }
            );
        else if (
            category.Settings != settings
            || category.FalseRejectRate != falseRejectRate
            || category.Pinned != pinned
        )
        {
            // The pixels of stored images are others now; the next fit hashes them again.
            if (category.Settings.SignificantBits != settings.SignificantBits)
                await db
                    .Images.Where(i => i.Category == name)
                    .ExecuteUpdateAsync(set => set.SetProperty(i => i.PixelSha256, (string?)null), cancellationToken);
            if (category.FalseRejectRate != falseRejectRate)
                db.Add(await CreateRateChangeAsync(db, category, falseRejectRate, who, now, cancellationToken));
            category.Settings = settings;
            category.FalseRejectRate = falseRejectRate;
            category.Pinned = pinned;
            category.UpdatedAt = now;
            category.Revision = category.Revision + 1;
        }
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            if (transaction is not null)
                await transaction.CommitAsync(CancellationToken.None);
            return ((CategoryResponse, bool)?)(await CreateResponseAsync(db, category, cancellationToken), created);
        }
        catch (DbUpdateConcurrencyException)
        {
            // Another request changed the category in the meantime.
            return ((CategoryResponse, bool)?)null;
        }
        catch (DbUpdateException) when (created)
        {
            // Another request created the category in the meantime, so this is now an update.
            if (!await ExistsAsync(name, cancellationToken))
                throw;
            return ((CategoryResponse, bool)?)null;
        }
    }

    public async Task<Outcome<CategoryResponse>> GetAsync(string name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var category = await db.Categories.AsNoTracking().SingleOrDefaultAsync(c => c.Name == name, cancellationToken);
        return category is null
            ? Problems.CategoryNotFound(name)
            : await CreateResponseAsync(db, category, cancellationToken);
    }

    private async Task<Category?> FindAsync(string name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Categories.AsNoTracking().SingleOrDefaultAsync(c => c.Name == name, cancellationToken);
    }

    public async Task<bool> ExistsAsync(string name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Categories.AnyAsync(c => c.Name == name, cancellationToken);
    }

    /// <summary>Gets the category whose images a category takes; null if it has its own, or does not exist.</summary>
    public async Task<string?> FindOtherSourceAsync(string name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db
            .Categories.Where(c => c.Name == name)
            .Select(c => c.Settings.ImagesOf)
            .SingleOrDefaultAsync(cancellationToken);
    }

    /// <summary>Gets categories by name.</summary>
    /// <param name="only">Names to include; null for all.</param>
    /// <param name="page">The page to return.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<Page<CategoryResponse>> ListAsync(
        IReadOnlyList<string>? only,
        PageRequest page,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var visible = only is null ? db.Categories : db.Categories.Where(c => only.Contains(c.Name));
        var rows = await visible
            .AsNoTracking()
            .Where(c => string.Compare(c.Name, page.After) > 0)
            .OrderBy(c => c.Name)
            .Take(page.Limit + 1)
            .ToListAsync(cancellationToken);
        var counts = await CountImagesAsync(db, [.. rows.Select(c => c.ImageSource).Distinct()], cancellationToken);
        return page.Cut(rows, c => c.Name, c => CreateResponse(c, counts.GetValueOrDefault(c.ImageSource, NoImages)));
    }

    /// <summary>Deletes a category with its images, models and jobs. The next sweep deletes its files.</summary>
    public async Task<Problem?> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.BeginExclusiveAsync(cancellationToken);
        var users = await db
            .Categories.Where(c => c.Settings.ImagesOf == name)
            .OrderBy(c => c.Name)
            .Select(c => c.Name)
            .ToListAsync(cancellationToken);
        if (users.Count > 0)
            return Problems.CategoryInUse(name, users);
        if (await db.Categories.Where(c => c.Name == name).ExecuteDeleteAsync(cancellationToken) == 0)
            return Problems.CategoryNotFound(name);
        await db.ThresholdChanges.Where(change => change.Category == name).ExecuteDeleteAsync(cancellationToken);
        // A running fit notices at its next heartbeat that its job is gone, and can no longer publish.
        await db.Jobs.Where(job => job.Category == name).ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return null;
    }

    /// <summary>Sets the ignore mask of a category for the next fit; null removes it.</summary>
    public async Task<Problem?> SetIgnoreMaskAsync(string name, string? sha256, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var now = time.GetUtcNow().UtcDateTime;
        var changed = await db
            .Categories.Where(c => c.Name == name)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(c => c.IgnoreMaskSha256, sha256)
                        .SetProperty(c => c.UpdatedAt, now)
                        .SetProperty(c => c.Revision, c => c.Revision + 1),
                cancellationToken
            );
        return changed == 0 ? Problems.CategoryNotFound(name) : null;
    }

    /// <summary>Creates the problem of a category that is to take other images than it was created for.</summary>
    public static Problem ImagesAreFixed() =>
        Problems.InvalidSettings(
            "imagesOf is decided when a category is created, because its models know the images that they were "
                + "fitted to. Create another category."
        );

    /// <summary>Gets why a new category cannot take the images of another one; null if it can.</summary>
    private static async Task<Problem?> CheckSourceAsync(
        PadimDbContext db,
        string name,
        string? source,
        CancellationToken cancellationToken
    )
    {
        if (source is null)
            return null;
        if (source == name)
            return Problems.InvalidSettings("imagesOf must name another category.");
        var found = await db
            .Categories.Where(c => c.Name == source)
            .Select(c => new { c.Settings.ImagesOf })
            .SingleOrDefaultAsync(cancellationToken);
        return found switch
        {
            null => Problems.InvalidSettings(
                "imagesOf must name a category that exists. Create it first; it needs no model."
            ),
            { ImagesOf: { } origin } => Problems.InvalidSettings(
                $"The category of imagesOf takes its own images from '{origin}'. Name '{origin}' instead."
            ),
            _ => null,
        };
    }

    /// <summary>
    /// Creates the threshold change for new settings. The calibrated threshold may move as well; one set manually
    /// stays.
    /// </summary>
    private static async Task<ThresholdChange> CreateRateChangeAsync(
        PadimDbContext db,
        Category category,
        double falseRejectRate,
        string who,
        DateTime now,
        CancellationToken cancellationToken
    )
    {
        var byHand = await db
            .Models.Where(m => m.Category == category.Name && m.Version == category.ActiveVersion)
            .Select(m => m.ThresholdOverride)
            .SingleOrDefaultAsync(cancellationToken);
        return new ThresholdChange
        {
            Category = category.Name,
            At = now,
            Who = who,
            ModelVersion = category.ActiveVersion,
            FalseRejectRate = falseRejectRate,
            Threshold = byHand,
        };
    }

    /// <summary>
    /// Gets the problem if the active model does not fit into the cache beside the pinned ones, or null. File sizes
    /// approximate host memory: the two are nearly equal.
    /// </summary>
    private async Task<Problem?> CheckRoomAsync(
        PadimDbContext db,
        Category category,
        CancellationToken cancellationToken
    )
    {
        if (category.ActiveVersion is not { } version)
            return null;
        var own = await BytesAsync(
            db.Models.Where(m => m.Category == category.Name && m.Version == version),
            cancellationToken
        );
        var others = await BytesAsync(
            db.Models.Where(m =>
                db.Categories.Any(c => c.Pinned && c.Name == m.Category && c.ActiveVersion == m.Version)
            ),
            cancellationToken
        );
        return own + others > memory.ModelCache.Bytes
            ? Problems.CacheBudgetExceeded(category.Name, own, others, memory.ModelCache.Bytes)
            : null;
    }

    private async Task<long> BytesAsync(IQueryable<StoredModel> models, CancellationToken cancellationToken)
    {
        var sizes = await models
            .Select(m => new
            {
                m.StatisticsBytes,
                m.Positions,
                m.GridHeight,
                m.GridWidth,
                m.Dimensions,
            })
            .ToListAsync(cancellationToken);
        return sizes.Sum(size =>
            size.StatisticsBytes
            + ModelScorer.EstimateDeviceBytes(
                runtime,
                size.Positions == PatchPositions.Shared ? 1 : size.GridHeight * size.GridWidth,
                size.Dimensions
            )
        );
    }

    private static async Task<Dictionary<string, ImageCounts>> CountImagesAsync(
        PadimDbContext db,
        IReadOnlyList<string> names,
        CancellationToken cancellationToken
    ) =>
        (
            await db
                .Images.Where(i => names.Contains(i.Category))
                .GroupBy(i => i.Category)
                .Select(g => new
                {
                    Category = g.Key,
                    Normal = g.Count(i => i.Label == ImageLabel.Normal),
                    Anomalous = g.Count(i => i.Label == ImageLabel.Anomalous),
                    HeldOut = g.Count(i => i.HeldOut),
                })
                .ToListAsync(cancellationToken)
        ).ToDictionary(
            row => row.Category,
            row => new ImageCounts(row.Normal, row.Anomalous, row.HeldOut),
            StringComparer.Ordinal
        );

    private static async Task<CategoryResponse> CreateResponseAsync(
        PadimDbContext db,
        Category category,
        CancellationToken cancellationToken
    ) =>
        CreateResponse(
            category,
            (await CountImagesAsync(db, [category.ImageSource], cancellationToken)).GetValueOrDefault(
                category.ImageSource,
                NoImages
            )
        );

    private static CategoryResponse CreateResponse(Category c, ImageCounts images) =>
        new(
            c.Name,
            c.Settings.ImagesOf,
            c.Settings.Backbone,
            c.Settings.Profile,
            c.Settings.ImageWidth is null ? c.Settings.ImageSize : null,
            c.Settings.ImageWidth,
            c.Settings.ImageHeight,
            c.Settings.Fit.Aspect,
            c.Settings.CropSize,
            c.Settings.Fit.Positions,
            c.Settings.Tiles is { } tiles ? new TilesResponse(tiles.Size, tiles.Overlap) : null,
            new ReductionResponse(c.Settings.Method, c.Settings.Dimensions, c.Settings.Seed),
            c.Settings.LocalAverage,
            c.Settings.Epsilon,
            c.Settings.Fit.RelativeRidge,
            c.Settings.Fit.QuietExponent,
            c.Settings.BlurSigma,
            c.Settings.ImageScore,
            c.Settings.Shrinkage,
            c.Settings.Alignment,
            c.Settings.SignificantBits,
            c.Settings.Fit.Region is { } region
                ? new RegionResponse(region.X, region.Y, region.Width, region.Height)
                : null,
            c.IgnoreMaskSha256,
            c.FalseRejectRate,
            c.Settings.ReviewRate,
            c.Settings.RefusedWarnings,
            InspectionsResponse.Create(c.Settings.Inspections),
            c.Pinned,
            c.ActiveVersion,
            c.ShadowVersion,
            images,
            c.CreatedAt,
            c.UpdatedAt
        );
}
