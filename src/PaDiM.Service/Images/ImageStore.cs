using Microsoft.EntityFrameworkCore;
using PaDiM.Onnx.Imaging;
using PaDiM.Service.Hosting;
using PaDiM.Service.Storage;

namespace PaDiM.Service.Images;

/// <summary>Images of categories: the blob first, the row second, so that a row never speaks of bytes that are not there.</summary>
internal sealed class ImageStore(IDbContextFactory<PadimDbContext> contexts, BlobStore blobs, ImageDecoder decoder, TimeProvider time)
{
    /// <summary>Stores an image of an existing category, after decoding it whole: what is stored can be fitted.</summary>
    public async Task<Outcome<AcceptedImage>> AddAsync(string category, RequestFile file, ImageLabel label, string? defect, CancellationToken cancellationToken)
    {
        if (file.Fault is { } fault) return fault;
        var result = decoder.Decode(file.Bytes);
        if (result is not DecodeResult.Decoded decoded) return Problems.Image((DecodeResult.Refused)result);
        var sha256 = blobs.Put(file.Bytes);
        var image = new StoredImage
        {
            Id = Guid.CreateVersion7(time.GetUtcNow()).ToString("n"),
            Category = category,
            Sha256 = sha256,
            FileName = file.FileName.Length > 0 ? file.FileName : $"{sha256[..12]}.{decoded.Format.ToString().ToLowerInvariant()}",
            Format = decoded.Format,
            Width = decoded.Image.Width,
            Height = decoded.Image.Height,
            Bytes = file.Bytes.LongLength,
            Label = label,
            Defect = defect,
            CreatedAt = time.GetUtcNow().UtcDateTime,
        };
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await FindAsync() is { } earlier) return Duplicate(earlier);
        db.Add(image);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException)
        {
            db.ChangeTracker.Clear();
            if (await FindAsync() is { } other) return Duplicate(other);
            if (!await db.Categories.AnyAsync(c => c.Name == category, cancellationToken)) return Problems.CategoryNotFound(category);
            throw;
        }
        return Accept(image, false);

        Task<StoredImage?> FindAsync() => db.Images.AsNoTracking().SingleOrDefaultAsync(i => i.Category == category && i.Sha256 == sha256, cancellationToken);

        Outcome<AcceptedImage> Duplicate(StoredImage stored) => stored.Label == label ? Accept(stored, true) : Problems.LabelConflict(stored.Label.ToString().ToLowerInvariant());
    }

    /// <summary>Stores the mask of an anomalous image: white where the defect is, of the image's own size.</summary>
    public async Task<Problem?> AddMaskAsync(AcceptedImage image, RequestFile mask, CancellationToken cancellationToken)
    {
        if (mask.Fault is { } fault) return fault;
        switch (decoder.Decode(mask.Bytes))
        {
            case DecodeResult.Refused refused:
                return Problems.Image(refused);
            case DecodeResult.Decoded { Image: var pixels } when (pixels.Width, pixels.Height) != (image.Width, image.Height):
                return Problems.MaskMismatch($"The mask has {pixels.Width} x {pixels.Height} pixels, its image {image.Width} x {image.Height}; they must be the same.");
        }
        var sha256 = blobs.Put(mask.Bytes);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await db.Images.Where(i => i.Id == image.Id).ExecuteUpdateAsync(set => set.SetProperty(i => i.MaskSha256, sha256), cancellationToken);
        return null;
    }

    public async Task<Outcome<StoredImage>> GetAsync(string category, string id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.Images.AsNoTracking().SingleOrDefaultAsync(i => i.Category == category && i.Id == id, cancellationToken) is { } image) return image;
        return await db.Categories.AnyAsync(c => c.Name == category, cancellationToken) ? Problems.ImageNotFound(id) : Problems.CategoryNotFound(category);
    }

    /// <summary>Images in the order of their upload.</summary>
    public async Task<Outcome<Page<ImageResponse>>> ListAsync(string category, ImageLabel? label, PageRequest page, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (!await db.Categories.AnyAsync(c => c.Name == category, cancellationToken)) return Problems.CategoryNotFound(category);
        var rows = await db.Images.AsNoTracking()
            .Where(i => i.Category == category && (label == null || i.Label == label) && string.Compare(i.Id, page.After) > 0)
            .OrderBy(i => i.Id).Take(page.Limit + 1).ToListAsync(cancellationToken);
        return page.Cut(rows, i => i.Id, i => new ImageResponse(
            i.Id, i.FileName, i.Sha256, i.Format.MediaType(), i.Width, i.Height, i.Bytes, i.Label, i.Defect, i.MaskSha256 is not null, i.CreatedAt));
    }

    /// <summary>Removes an image; the next incremental fit takes it out of the statistics.</summary>
    public async Task<Problem?> DeleteAsync(string category, string id, CancellationToken cancellationToken)
    {
        if (!(await GetAsync(category, id, cancellationToken)).Succeeded(out _, out var problem)) return problem;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await db.Images.Where(i => i.Category == category && i.Id == id).ExecuteDeleteAsync(cancellationToken);
        return null;
    }

    private static AcceptedImage Accept(StoredImage image, bool duplicate) =>
        new(image.Id, image.FileName, image.Sha256, image.Width, image.Height, image.Label, duplicate, image.MaskSha256 is not null);
}
