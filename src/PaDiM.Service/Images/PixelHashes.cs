using Microsoft.EntityFrameworkCore;
using PaDiM.Engine.Faults;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Background;
using PaDiM.Service.Data;

namespace PaDiM.Service.Images;

/// <summary>
/// Hashes the pixels of images that an earlier version stored, or whose category changed its depth since, so that
/// uploads and fits recognise their copies.
/// </summary>
internal sealed class PixelHashes(
    IDbContextFactory<PadimDbContext> contexts,
    JobImages images,
    BackgroundScheduler threads
)
{
    /// <summary>Hashes the images of a category that have no hash yet. Skips images that cannot be read.</summary>
    public async Task FillAsync(string category, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var source = await db.GetImageSourceAsync(category, cancellationToken);
        var missing = await db
            .Images.Where(i => i.Category == source && i.PixelSha256 == null)
            .Select(i => new { i.Id, i.Sha256 })
            .ToListAsync(cancellationToken);
        if (missing.Count == 0)
            return;
        var decoding = await db.GetDecodingAsync(source, cancellationToken);
        foreach (var image in missing)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (await threads.RunAsync(() => TryHash(image.Sha256, decoding, cancellationToken)) is { } hash)
                await db
                    .Images.Where(i => i.Id == image.Id)
                    .ExecuteUpdateAsync(set => set.SetProperty(i => i.PixelSha256, hash), cancellationToken);
        }
    }

    private string? TryHash(string sha256, DecodeOptions decoding, CancellationToken cancellationToken)
    {
        try
        {
            var bytes = images.ReadInTurn(sha256, cancellationToken);
            return images.Decoder.Decode(bytes, decoding).TryGetImage(out var image, out _)
                ? PixelHash.Compute(image)
                : null;
        }
        catch (UserFaultException)
        {
            // The fit that needs the image says what is wrong with it.
            return null;
        }
    }
}
