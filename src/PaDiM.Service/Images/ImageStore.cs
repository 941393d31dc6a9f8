using Microsoft.EntityFrameworkCore;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;
using PaDiM.Service.Admission;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Images;

/// <summary>
/// The images of categories. The blob is written before the row, so a row never refers to missing bytes.
/// </summary>
internal sealed class ImageStore(
    IDbContextFactory<PadimDbContext> contexts,
    BlobStore blobs,
    ImageDecoder decoder,
    ImageAdmission admission,
    TimeProvider time
)
{
    /// <summary>
    /// Stores an image of an existing category after decoding it completely, so that every stored image can be fitted.
    /// </summary>
    public async Task<Outcome<AcceptedImage>> AddAsync(
        string category,
        RequestFile file,
        ImageSettings settings,
        CancellationToken cancellationToken
    )
    {
        if (file.Fault is { } fault)
            return fault;
        var decoding = await GetDecodingAsync(category, cancellationToken);
        if (!(await MeasureAsync(file, decoding, cancellationToken)).Succeeded(out var measured, out var problem))
            return problem;
        var sha256 = await blobs.PutAsync(measured.Bytes, cancellationToken);
        var image = new StoredImage
        {
            Id = Guid.CreateVersion7(time.GetUtcNow()).ToString("n"),
            Category = category,
            Sha256 = sha256,
            PixelSha256 = measured.PixelSha256,
            FileName = file.FileName.Length > 0 ? file.FileName : sha256[..12] + measured.Format.Extension(),
            Format = measured.Format,
            Width = measured.Width,
            Height = measured.Height,
            Bytes = measured.Bytes.LongLength,
            Label = settings.Label,
            Defect = settings.Defect,
            HeldOut = settings.HeldOut,
            CreatedAt = time.GetUtcNow().UtcDateTime,
        };
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await FindAsync() is { } earlier)
            return AcceptDuplicate(earlier, settings.Label);
        db.Add(image);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException)
        {
            db.ChangeTracker.Clear();
            if (await FindAsync() is { } other)
                return AcceptDuplicate(other, settings.Label);
            if (!await db.Categories.AnyAsync(c => c.Name == category, cancellationToken))
                return Problems.CategoryNotFound(category);
            throw;
        }
        return Accept(image, duplicate: false);

        // The same bytes, or the same pixels in another file: both would count twice in a fit.
        Task<StoredImage?> FindAsync() =>
            db
                .Images.AsNoTracking()
                .Where(i => i.Category == category && (i.Sha256 == sha256 || i.PixelSha256 == measured.PixelSha256))
                .OrderByDescending(i => i.Sha256 == sha256)
                .ThenBy(i => i.Id)
                .FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>Stores the bytes of a mask; <see cref="AttachMaskAsync"/> then assigns it to an image.</summary>
    public async Task<Outcome<StoredMask>> PutMaskAsync(RequestFile file, CancellationToken cancellationToken)
    {
        if (file.Fault is { } fault)
            return fault;
        // Masks are marks and no measurements: they have neither a depth nor colour filters.
        file = file with
        {
            SignificantBits = null,
            Layout = file.Layout is { IsMosaic: true } layout
                ? layout with
                {
                    Format = PixelFormat.Gray8,
                }
                : file.Layout,
        };
        if (
            !(await MeasureAsync(file, DecodeOptions.Mask, cancellationToken)).Succeeded(
                out var measured,
                out var problem
            )
        )
            return problem;
        var sha256 = await blobs.PutAsync(measured.Bytes, cancellationToken);
        return new StoredMask(file.FileName, sha256, measured.Width, measured.Height);
    }

    /// <summary>Assigns a mask to an anomalous image: white on the defect, the same size as the image.</summary>
    public async Task<Problem?> AttachMaskAsync(
        AcceptedImage image,
        StoredMask mask,
        CancellationToken cancellationToken
    )
    {
        if ((mask.Width, mask.Height) != (image.Width, image.Height))
            return Problems.MaskMismatch(
                $"The mask has {mask.Width} x {mask.Height} pixels, but its image has {image.Width} x "
                    + $"{image.Height}; both must have the same size."
            );
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await db
            .Images.Where(i => i.Id == image.Id && i.Label == ImageLabel.Anomalous)
            .ExecuteUpdateAsync(set => set.SetProperty(i => i.MaskSha256, mask.Sha256), cancellationToken);
        return null;
    }

    public async Task<Outcome<StoredImage>> GetAsync(string category, string id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (
            await db
                .Images.AsNoTracking()
                .SingleOrDefaultAsync(i => i.Category == category && i.Id == id, cancellationToken) is
            { } image
        )
            return image;
        return await db.Categories.AnyAsync(c => c.Name == category, cancellationToken)
            ? Problems.ImageNotFound(id)
            : Problems.CategoryNotFound(category);
    }

    /// <summary>Gets the image of a category with these bytes; null if there is none.</summary>
    public async Task<StoredImage?> FindAsync(string category, string sha256, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db
            .Images.AsNoTracking()
            .SingleOrDefaultAsync(i => i.Category == category && i.Sha256 == sha256, cancellationToken);
    }

    /// <summary>Gets images in upload order.</summary>
    public async Task<Outcome<Page<ImageResponse>>> ListAsync(
        string category,
        ImageLabel? label,
        PageRequest page,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (!await db.Categories.AnyAsync(c => c.Name == category, cancellationToken))
            return Problems.CategoryNotFound(category);
        var rows = await db
            .Images.AsNoTracking()
            .Where(i =>
                i.Category == category && (label == null || i.Label == label) && string.Compare(i.Id, page.After) > 0
            )
            .OrderBy(i => i.Id)
            .Take(page.Limit + 1)
            .ToListAsync(cancellationToken);
        return page.Cut(rows, i => i.Id, ImageResponse.From);
    }

    /// <summary>Deletes an image. The next incremental fit removes it from the statistics.</summary>
    public async Task<Problem?> DeleteAsync(string category, string id, CancellationToken cancellationToken)
    {
        if (!(await GetAsync(category, id, cancellationToken)).Succeeded(out var image, out var problem))
            return problem;
        // A running fit or evaluation may still read them. Renewed while the row keeps them from the sweeper.
        await blobs.RenewAsync(image.Sha256, cancellationToken);
        if (image.MaskSha256 is { } mask)
            await blobs.RenewAsync(mask, cancellationToken);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await db.Images.Where(i => i.Category == category && i.Id == id).ExecuteDeleteAsync(cancellationToken);
        return null;
    }

    /// <summary>Describes an image that is stored already as the result of an upload.</summary>
    /// <param name="stored">The image.</param>
    /// <param name="label">The label of the upload, which must be that of the image.</param>
    public static Outcome<AcceptedImage> AcceptDuplicate(StoredImage stored, ImageLabel label) =>
        stored.Label == label
            ? Accept(stored, duplicate: true)
            : Problems.LabelConflict(stored.Label.ToString().ToLowerInvariant());

    private static AcceptedImage Accept(StoredImage image, bool duplicate) =>
        new(
            image.Id,
            image.FileName,
            image.Sha256,
            image.Width,
            image.Height,
            image.Label,
            duplicate,
            duplicate ? image.Id : null,
            image.MaskSha256 is not null
        );

    /// <summary>Gets how the images of a category become pixels, at full size.</summary>
    public async Task<DecodeOptions> GetDecodingAsync(string category, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.GetDecodingAsync(category, cancellationToken);
    }

    /// <summary>
    /// Decodes an image completely and keeps only what the row needs, so that an invalid image is refused now and not
    /// during the fit. Pixels whose layout or depth only the request knows become a PNG, because the store does not
    /// keep either; other files are unchanged.
    /// </summary>
    private async Task<Outcome<MeasuredImage>> MeasureAsync(
        RequestFile file,
        DecodeOptions options,
        CancellationToken cancellationToken
    )
    {
        if (!file.ProbeDecodeBytes(decoder, options).Succeeded(out var decodeBytes, out var problem))
            return problem;
        using var lease = await admission.AcquireAsync(decodeBytes, Priority.Batch, cancellationToken);
        if (!file.ToImage(decoder, options).Succeeded(out var decoded, out problem))
            return problem;
        var image = decoded.Image;
        var (bytes, format) =
            decoded.Format is { } given && !(decoded.IsDeep && file.SignificantBits is not null)
                ? (file.Bytes, given)
                : (ImageEncoder.EncodePng(image), ImageFormat.Png);
        return new MeasuredImage(bytes, format, image.Width, image.Height, PixelHash.Compute(image));
    }

    private sealed record MeasuredImage(byte[] Bytes, ImageFormat Format, int Width, int Height, string PixelSha256);
}

/// <summary>A mask whose bytes are stored.</summary>
/// <param name="FileName">File name given by the client.</param>
/// <param name="Sha256">Hash of its blob.</param>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
internal sealed record StoredMask(string FileName, string Sha256, int Width, int Height);
