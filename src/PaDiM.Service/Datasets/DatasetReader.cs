using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Access;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Models;

namespace PaDiM.Service.Datasets;

/// <summary>Finds the images of exports: those of a category, and those that a model was fitted to.</summary>
internal sealed class DatasetReader(
    IDbContextFactory<PadimDbContext> contexts,
    BlobStore blobs,
    ModelStore models,
    ModelFiles files
)
{
    private const int MostListed = 1000,
        ParallelLooks = 16;

    /// <summary>Gets the images of a category, in upload order, or the problem that some are missing.</summary>
    public async Task<Outcome<DatasetImage[]>> ReadCategoryAsync(string category, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (!await db.Categories.AnyAsync(c => c.Name == category, cancellationToken))
            return Problems.CategoryNotFound(category);
        var images = await db
            .Images.Where(i => i.Category == category)
            .OrderBy(i => i.Id)
            .Select(i => new DatasetImage(
                i.Sha256,
                i.FileName,
                i.Label,
                i.Defect,
                i.HeldOut,
                i.MaskSha256,
                i.CreatedAt
            ))
            .ToArrayAsync(cancellationToken);
        // Once bytes were sent, a problem can only break the answer off.
        var stored = await FindStoredAsync(images.SelectMany(image => image.ListBlobs()), cancellationToken);
        var missing = images.Where(image => !image.ListBlobs().All(stored.Contains)).ToArray();
        return missing.Length == 0
            ? images
            : Problems.ImageDamaged(missing[0].Sha256) with
            {
                Extra = missing
                    .Take(MostListed)
                    .Select(image => Describe(image, Problems.ImageDamaged(image.Sha256)))
                    .ToArray(),
            };
    }

    /// <summary>
    /// Gets the images that a model was fitted to, in the order of the model. They may be those of a category that the
    /// caller may not see.
    /// </summary>
    public async Task<Outcome<ModelImage[]>> ReadModelAsync(
        string category,
        int version,
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        if (!(await models.GetAsync(category, version, cancellationToken)).Succeeded(out var model, out var problem))
            return problem;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var source = await db.GetImageSourceAsync(category, cancellationToken);
        if (!caller.MaySee(source))
            return Problems.CategoryForbidden(source);
        var noted = await db
            .ModelImages.AsNoTracking()
            .Where(i => i.Category == category && i.Version == version)
            .OrderBy(i => i.Position)
            .Select(i => new { i.Sha256, i.FileName })
            .ToArrayAsync(cancellationToken);
        var images = noted.Select(image => (image.Sha256, image.FileName)).ToArray();
        if (images.Length == 0)
        {
            // Published before images were noted: the file has the hashes.
            if (!(await ReadHashesAsync(model, cancellationToken)).Succeeded(out var hashes, out problem))
                return problem;
            images = [.. hashes.Select(sha256 => (sha256, (string?)null))];
        }
        var stored = await db
            .Images.Where(i => i.Category == source)
            .Select(i => new
            {
                i.Sha256,
                i.Id,
                i.FileName,
                i.CreatedAt,
            })
            .ToDictionaryAsync(i => i.Sha256, StringComparer.Ordinal, cancellationToken);
        var available = await FindStoredAsync(images.Select(image => image.Sha256), cancellationToken);
        return images
            .Select(image =>
            {
                var row = stored.GetValueOrDefault(image.Sha256);
                return new ModelImage(
                    image.Sha256,
                    image.FileName ?? row?.FileName,
                    row?.Id,
                    row?.CreatedAt ?? model.CreatedAt,
                    // The file of an imported model may name images of another category, which may not be for this
                    // caller. What a fit here has read was of this category.
                    (row is not null || model.JobId is not null) && available.Contains(image.Sha256)
                );
            })
            .ToArray();
    }

    /// <summary>Gets the images of a model to export, or the problem that some are gone.</summary>
    public async Task<Outcome<DatasetImage[]>> ReadModelToExportAsync(
        string category,
        int version,
        bool skipMissing,
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        var read = await ReadModelAsync(category, version, caller, cancellationToken);
        if (!read.Succeeded(out var images, out var problem))
            return problem;
        var gone = images.Where(image => !image.Available).ToArray();
        if (gone.Length > 0 && (!skipMissing || gone.Length == images.Length))
        {
            problem = Problems.ModelImagesGone(gone.Length, images.Length);
            return problem with
            {
                Extra = gone.Take(MostListed).Select(image => Describe(image.ToExport(), problem)).ToArray(),
            };
        }
        return images.Where(image => image.Available).Select(image => image.ToExport()).ToArray();
    }

    private static RejectedFile Describe(DatasetImage image, Problem problem) =>
        new(image.FileName ?? image.Sha256, problem.Code, $"The image with the SHA-256 {image.Sha256} is missing.");

    private async Task<Outcome<string[]>> ReadHashesAsync(StoredModel model, CancellationToken cancellationToken)
    {
        try
        {
            return (await files.ReadAsync(model, cancellationToken)).Succeeded(out var read, out var problem)
                ? read.TrainingImages.ToArray()
                : problem;
        }
        catch (InvalidDataException e)
        {
            return Problems.ModelUnusable(e.Message);
        }
    }

    /// <summary>Gets those blobs that are stored. A store in the network takes some milliseconds for each.</summary>
    private async Task<IReadOnlySet<string>> FindStoredAsync(
        IEnumerable<string> hashes,
        CancellationToken cancellationToken
    )
    {
        var stored = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
        await Parallel.ForEachAsync(
            hashes,
            new ParallelOptions { MaxDegreeOfParallelism = ParallelLooks, CancellationToken = cancellationToken },
            async (sha256, token) =>
            {
                if (await blobs.ExistsAsync(sha256, token))
                    stored[sha256] = true;
            }
        );
        return stored.Keys.ToHashSet(StringComparer.Ordinal);
    }
}

/// <summary>An image that a model was fitted to.</summary>
/// <param name="Sha256">Hash of its bytes.</param>
/// <param name="FileName">Its name; null if unknown.</param>
/// <param name="Id">Identifier; null if it was deleted.</param>
/// <param name="At">When it was uploaded; for a deleted image, when the model was published.</param>
/// <param name="Available">Whether it can be exported.</param>
internal sealed record ModelImage(string Sha256, string? FileName, string? Id, DateTime At, bool Available)
{
    public DatasetImage ToExport() => new(Sha256, FileName, ImageLabel.Normal, null, false, null, At);
}
