using Microsoft.EntityFrameworkCore;
using PaDiM.Core.Models;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Jobs;

namespace PaDiM.Service.Models;

/// <summary>The published models in the database. The file is always written before the row.</summary>
internal sealed class ModelStore(IDbContextFactory<PadimDbContext> contexts, ModelFiles files, TimeProvider time)
{
    /// <summary>
    /// Publishes a model: first its file, then its row, the category's active version and the end of the job in one
    /// transaction. Nothing is published, and the file is deleted again, if the job changed hands or was cancelled or
    /// the category is gone.
    /// </summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="fileName">A name that was never used before.</param>
    /// <param name="model">The model.</param>
    /// <param name="activate">Whether to activate the version.</param>
    /// <param name="shadow">Whether it scores in the shadow of the active version, if there is one.</param>
    /// <param name="lease">The job that fitted the model; null for an imported one.</param>
    /// <param name="cancellationToken">Cancels before the transaction is committed.</param>
    /// <returns>The row; null if the job may no longer publish.</returns>
    public async Task<StoredModel?> PublishAsync(
        string category,
        string fileName,
        PadimModel model,
        bool activate,
        bool shadow,
        JobLease? lease,
        CancellationToken cancellationToken
    )
    {
        var (bytes, sha256) = await files.WriteAsync(category, fileName, model, cancellationToken);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var owner = await db.Categories.ForUpdate().SingleOrDefaultAsync(c => c.Name == category, cancellationToken);
        var job = lease is { } held ? await held.LockAsync(db, cancellationToken) : null;
        if (owner is null || (lease is not null && job is null))
        {
            await files.DeleteAsync(category, fileName, cancellationToken);
            return null;
        }
        var now = time.GetUtcNow().UtcDateTime;
        var stored = CreateRow(
            category,
            ++owner.LastVersion,
            fileName,
            model,
            owner.FalseRejectRate,
            job?.Id,
            bytes,
            sha256,
            now
        );
        db.Add(stored);
        await AddImagesAsync(db, stored, owner.ImageSource, model.TrainingImages, cancellationToken);
        owner.Revision++;
        if (activate)
            owner.ActiveVersion = stored.Version;
        else if (shadow && owner.ActiveVersion is not null)
            owner.StartShadow(stored.Version, now);
        job?.Succeed(now, stored.Version);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
        return stored;
    }

    /// <summary>Gets the newest model, regardless of its settings.</summary>
    public async Task<StoredModel?> FindNewestAsync(string category, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db
            .Models.AsNoTracking()
            .Where(m => m.Category == category)
            .OrderByDescending(m => m.Version)
            .FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>Gets a row, or the problem that it does not exist.</summary>
    public async Task<Outcome<StoredModel>> GetAsync(string category, int version, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (
            await db
                .Models.AsNoTracking()
                .SingleOrDefaultAsync(m => m.Category == category && m.Version == version, cancellationToken) is
            { } stored
        )
            return stored;
        return await db.Categories.AnyAsync(c => c.Name == category, cancellationToken)
            ? Problems.ModelNotFound(category, version)
            : Problems.CategoryNotFound(category);
    }

    /// <summary>Gets a model as a response.</summary>
    public async Task<Outcome<ModelResponse>> GetResponseAsync(
        string category,
        int version,
        CancellationToken cancellationToken
    )
    {
        if (!(await GetAsync(category, version, cancellationToken)).Succeeded(out var stored, out var problem))
            return problem;
        return (await CreateResponsesAsync(category, [stored], cancellationToken))[0];
    }

    /// <summary>Gets models, newest first.</summary>
    public async Task<Outcome<Page<ModelResponse>>> ListAsync(
        string category,
        PageRequest page,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (!await db.Categories.AnyAsync(c => c.Name == category, cancellationToken))
            return Problems.CategoryNotFound(category);
        var before =
            page.After.Length == 0 ? int.MaxValue
            : int.TryParse(page.After, out var version) ? version
            : 0;
        var rows = await db
            .Models.AsNoTracking()
            .Where(m => m.Category == category && m.Version < before)
            .OrderByDescending(m => m.Version)
            .Take(page.Limit + 1)
            .ToListAsync(cancellationToken);
        var described = (await CreateResponsesAsync(category, rows, cancellationToken)).ToDictionary(m => m.Version);
        return page.Cut(
            rows,
            m => m.Version.ToString(System.Globalization.CultureInfo.InvariantCulture),
            m => described[m.Version]
        );
    }

    /// <summary>Activates a version. The shadow ends if it was that version.</summary>
    public async Task<Problem?> ActivateAsync(string category, int version, CancellationToken cancellationToken)
    {
        if (!(await GetAsync(category, version, cancellationToken)).Succeeded(out _, out var problem))
            return problem;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.LockCategoryAsync(category, cancellationToken);
        var now = time.GetUtcNow().UtcDateTime;
        await db
            .Categories.Where(c =>
                c.Name == category && db.Models.Any(m => m.Category == category && m.Version == version)
            )
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(c => c.ActiveVersion, version)
                        .SetProperty(c => c.ShadowSince, c => c.ShadowVersion == version ? null : c.ShadowSince)
                        .SetProperty(c => c.ShadowVersion, c => c.ShadowVersion == version ? null : c.ShadowVersion)
                        .SetProperty(c => c.Revision, c => c.Revision + 1)
                        .SetProperty(c => c.UpdatedAt, now),
                cancellationToken
            );
        await transaction.CommitAsync(cancellationToken);
        return null;
    }

    /// <summary>Deletes an inactive version. The shadow ends if it was that version.</summary>
    public async Task<Problem?> DeleteAsync(string category, int version, CancellationToken cancellationToken)
    {
        if (!(await GetAsync(category, version, cancellationToken)).Succeeded(out var stored, out var problem))
            return problem;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.LockCategoryAsync(category, cancellationToken);
        var deleted = await db
            .Models.Where(m =>
                m.Category == category
                && m.Version == version
                && !db.Categories.Any(c => c.Name == category && c.ActiveVersion == version)
            )
            .ExecuteDeleteAsync(cancellationToken);
        if (deleted == 0)
            return Problems.ModelActive(version);
        await db
            .Categories.Where(c => c.Name == category && c.ShadowVersion == version)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(c => c.ShadowVersion, (int?)null)
                        .SetProperty(c => c.ShadowSince, (DateTime?)null)
                        .SetProperty(c => c.Revision, c => c.Revision + 1),
                cancellationToken
            );
        await transaction.CommitAsync(cancellationToken);
        await files.DeleteAsync(category, stored.FileName, cancellationToken);
        return null;
    }

    /// <summary>
    /// Notes which images the model was fitted to. The file knows their hashes; their names are lost when they are
    /// deleted, so they are noted now.
    /// </summary>
    private static async Task AddImagesAsync(
        PadimDbContext db,
        StoredModel stored,
        string source,
        IReadOnlyList<string> hashes,
        CancellationToken cancellationToken
    )
    {
        var names = await db
            .Images.Where(i => i.Category == source)
            .Select(i => new { i.Sha256, i.FileName })
            .ToDictionaryAsync(i => i.Sha256, i => i.FileName, StringComparer.Ordinal, cancellationToken);
        db.AddRange(
            hashes.Select(
                (sha256, i) =>
                    new StoredModelImage
                    {
                        Category = stored.Category,
                        Version = stored.Version,
                        Position = i,
                        Sha256 = sha256,
                        FileName = names.GetValueOrDefault(sha256),
                    }
            )
        );
    }

    private async Task<IReadOnlyList<ModelResponse>> CreateResponsesAsync(
        string category,
        IReadOnlyList<StoredModel> models,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var owner = await db
            .Categories.Where(c => c.Name == category)
            .Select(c => new { c.ActiveVersion, Source = c.Settings.ImagesOf ?? c.Name })
            .SingleOrDefaultAsync(cancellationToken);
        var source = owner?.Source;
        var active = owner?.ActiveVersion;
        var hashes = models
            .SelectMany(m =>
                m.Outliers.Select(o => o.ImageSha256)
                    .Concat(m.Findings.SelectMany(f => new[] { f.ImageSha256, f.OfSha256 ?? f.ImageSha256 }))
            )
            .Distinct()
            .ToList();
        var ids = await db
            .Images.Where(i => i.Category == source && hashes.Contains(i.Sha256))
            .ToDictionaryAsync(i => i.Sha256, i => i.Id, cancellationToken);
        return [.. models.Select(m => ModelResponse.From(m, m.Version == active, files.GetState(m), ids))];
    }

    private static StoredModel CreateRow(
        string category,
        int version,
        string fileName,
        PadimModel model,
        double rate,
        string? jobId,
        long bytes,
        string sha256,
        DateTime now
    ) =>
        new()
        {
            Category = category,
            Version = version,
            CreatedAt = now,
            JobId = jobId,
            BackboneName = model.Backbone.Name,
            BackboneSha256 = model.Backbone.Sha256,
            ImageCount = model.TrainingImages.Count,
            Dimensions = model.Distribution.Dimensions,
            GridHeight = model.Distribution.Grid.Height,
            GridWidth = model.Distribution.Grid.Width,
            Threshold = model.Calibration.GetThreshold(rate),
            FalseRejectRate = rate,
            SmallestFalseRejectRate = model.Calibration.SmallestFalseRejectRate,
            LooMin = model.Calibration.Min,
            LooMedian = model.Calibration.Median,
            LooMax = model.Calibration.Max,
            Outliers =
            [
                .. model
                    .Calibration.FindOutliers()
                    .Select(o => new ModelOutlier
                    {
                        ImageSha256 = model.TrainingImages[o.Index],
                        Score = o.Score,
                        PValue = o.PValue,
                    }),
            ],
            Findings =
            [
                .. model.Findings.Select(f => new ModelFinding
                {
                    ImageSha256 = model.TrainingImages[f.Index],
                    Kind = f.Kind,
                    Deviations = f.Deviations,
                    OfSha256 = f.Of is { } other ? model.TrainingImages[other] : null,
                }),
            ],
            Profile = model.Profile,
            IgnoredShare = model.Ignored is { } ignored ? ignored.Count(pixel => pixel) / (double)ignored.Length : 0,
            RankDeficient = model.IsRankDeficient,
            Positions = model.Settings.Positions,
            Shrinkage = model.Shrinkage,
            FileName = fileName,
            StatisticsBytes = bytes,
            Sha256 = sha256,
        };
}
