using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Objects;

namespace PaDiM.Service.Images;

/// <summary>
/// Changes of many images at once: all of them in one transaction, or none. As after a single change, published models
/// stay as they are, and the next fit takes what is stored then.
/// </summary>
internal sealed class ImageChanges(IDbContextFactory<PadimDbContext> contexts, BlobStore blobs)
{
    /// <summary>A store in the network takes some milliseconds for each.</summary>
    private const int ParallelRenewals = 8;

    /// <summary>Changes the label, the kind of defect or the use of images.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="selection">The images.</param>
    /// <param name="change">The change.</param>
    /// <param name="dropMasks">Whether images that become normal lose their masks; otherwise they are refused.</param>
    /// <param name="expected">The number of images that must be selected; null for any.</param>
    /// <param name="dryRun">Whether to change nothing.</param>
    /// <param name="cancellationToken">Cancels before the change is stored.</param>
    public async Task<Outcome<(ImagesChangedResponse Response, IReadOnlyList<string> Ids)>> UpdateAsync(
        string category,
        ImageSelection selection,
        ImageChange change,
        bool dropMasks,
        int? expected,
        bool dryRun,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (
            !(await SelectAsync(db, category, selection, expected, cancellationToken)).Succeeded(
                out var images,
                out var problem
            )
        )
            return problem;
        if (Validate(images, change, dropMasks) is { } misfit)
            return misfit;
        string[] masks =
        [
            .. images
                .Where(image => change.Label == ImageLabel.Normal && image.MaskSha256 is not null)
                .Select(image => image.MaskSha256!),
        ];
        if (!dryRun)
        {
            await selection.Apply(db.Images, category).ExecuteUpdateAsync(set => Set(set, change), cancellationToken);
            await transaction.CommitAsync(CancellationToken.None);
            await RenewAsync(masks);
        }
        return (new ImagesChangedResponse(images.Length, masks.Length, dryRun), GetIds(images));
    }

    /// <summary>Deletes images with their masks. The next incremental fit removes them from the statistics.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="selection">The images.</param>
    /// <param name="expected">The number of images that must be selected; null for any.</param>
    /// <param name="dryRun">Whether to delete nothing.</param>
    /// <param name="cancellationToken">Cancels before the deletion is stored.</param>
    public async Task<Outcome<(ImagesChangedResponse Response, IReadOnlyList<string> Ids)>> DeleteAsync(
        string category,
        ImageSelection selection,
        int? expected,
        bool dryRun,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (
            !(await SelectAsync(db, category, selection, expected, cancellationToken)).Succeeded(
                out var images,
                out var problem
            )
        )
            return problem;
        string[] masks = [.. images.Select(image => image.MaskSha256).OfType<string>()];
        if (!dryRun)
        {
            await selection.Apply(db.Images, category).ExecuteDeleteAsync(cancellationToken);
            await transaction.CommitAsync(CancellationToken.None);
            // A running fit or evaluation may still read them.
            await RenewAsync([.. images.Select(image => image.Sha256), .. masks]);
        }
        return (new ImagesChangedResponse(images.Length, masks.Length, dryRun), GetIds(images));
    }

    private static IReadOnlyList<string> GetIds(IReadOnlyList<SelectedImage> images) =>
        [.. images.Select(image => image.Id)];

    private static async Task<Outcome<SelectedImage[]>> SelectAsync(
        PadimDbContext db,
        string category,
        ImageSelection selection,
        int? expected,
        CancellationToken cancellationToken
    )
    {
        // A new image needs its category's row, and so waits for this transaction.
        if (!await db.LockCategoryAsync(category, cancellationToken))
            return Problems.CategoryNotFound(category);
        var images = await selection
            .Apply(db.Images, category)
            .ForUpdate()
            .OrderBy(i => i.Id)
            .Select(i => new SelectedImage(i.Id, i.Sha256, i.MaskSha256, i.Label))
            .ToArrayAsync(cancellationToken);
        if (
            selection.Ids is { } ids
            && ids.Except(GetIds(images), StringComparer.Ordinal).FirstOrDefault() is { } missing
        )
            return Problems.ImageNotFound(missing);
        return expected is { } count && count != images.Length
            ? Problems.SelectionChanged(images.Length, count)
            : images;
    }

    /// <summary>Gets the problem with images that the change does not fit, or null.</summary>
    private static Problem? Validate(SelectedImage[] images, ImageChange change, bool dropMasks)
    {
        if (change is { Label: ImageLabel.Normal } && !dropMasks)
        {
            var masked = images.Count(image => image.MaskSha256 is not null);
            return masked == 0
                ? null
                : Problems.MaskMismatch(
                    $"{masked} of the {images.Length} images have a mask, which an image of a good part cannot have. "
                        + "Send dropMasks: true to remove the masks, or leave these images out."
                );
        }
        if (change.Label is not null)
            return null;
        if (change.Defect is not null && images.Any(image => image.Label == ImageLabel.Normal))
            return Problems.InvalidRequest(
                "defect requires label=anomalous, and some of the images are normal; set the label too."
            );
        return change.HeldOut is true && images.Any(image => image.Label == ImageLabel.Anomalous)
            ? Problems.InvalidRequest(
                "heldOut requires label=normal, and some of the images are anomalous; fits leave them out anyway."
            )
            : null;
    }

    /// <summary>Sets what the change names, and what follows from a new label.</summary>
    private static void Set(
        Microsoft.EntityFrameworkCore.Query.UpdateSettersBuilder<StoredImage> set,
        ImageChange change
    )
    {
        if (change.Label is { } label)
            set.SetProperty(i => i.Label, label);
        if (change.SetsDefect || change.Label == ImageLabel.Normal)
            set.SetProperty(i => i.Defect, change.Defect);
        if (change.Label == ImageLabel.Normal)
            set.SetProperty(i => i.MaskSha256, (string?)null);
        if (change.HeldOut is { } heldOut)
            set.SetProperty(i => i.HeldOut, heldOut);
        else if (change.Label == ImageLabel.Anomalous)
            set.SetProperty(i => i.HeldOut, false);
    }

    private Task RenewAsync(IEnumerable<string> hashes) =>
        Parallel.ForEachAsync(
            hashes,
            new ParallelOptions { MaxDegreeOfParallelism = ParallelRenewals },
            async (sha256, cancellationToken) =>
            {
                try
                {
                    await blobs.RenewAsync(sha256, cancellationToken);
                }
                catch (ObjectStoreAwayException)
                {
                    // The change is stored already. A job that still reads the image may have to start again.
                }
            }
        );

    private sealed record SelectedImage(string Id, string Sha256, string? MaskSha256, ImageLabel Label);
}
