using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using PaDiM.Core.Persistence;
using PaDiM.Service.Data;
using PaDiM.Service.Models;
using PaDiM.Service.Objects;

namespace PaDiM.Service.Maintenance;

/// <summary>The kind of a file in the data directory.</summary>
internal enum FileKind
{
    Image,
    Mask,
    IgnoreMask,
    Model,

    /// <summary>
    /// Statistics of the newest model of a category. Without them, the next fit starts from the images.
    /// </summary>
    Statistics,

    /// <summary>A kept photograph of an inspection.</summary>
    Inspection,
}

/// <summary>A file that a row refers to.</summary>
/// <param name="Path">Path within the data directory.</param>
/// <param name="Kind">Kind of file.</param>
/// <param name="Category">Category; for an image of several categories, one of them.</param>
/// <param name="Sha256">The expected hash; null for statistics, which carry their own checksum.</param>
/// <param name="Model">The row; models only.</param>
internal sealed record FileReference(
    string Path,
    FileKind Kind,
    string Category,
    string? Sha256,
    StoredModel? Model = null
)
{
    /// <summary>Reads the whole object and gets whether it matches the row.</summary>
    /// <exception cref="IOException">The object does not exist or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to the file is denied.</exception>
    public async Task<bool> IsWholeAsync(IObjectStore objects, CancellationToken cancellationToken)
    {
        if (Sha256 is not null)
        {
            await using var stream = await objects.OpenAsync(Path, cancellationToken);
            // A file is read at once; asynchronous reads of files take a thread of the pool each.
            var hash = objects.IsLocal
                ? SHA256.HashData(stream)
                : await SHA256.HashDataAsync(stream, cancellationToken);
            return Convert.ToHexStringLower(hash) == Sha256;
        }
        try
        {
            await using var file = await objects.OpenFileAsync(Path, null, cancellationToken);
            SafetensorsReader.Open(file);
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }
}

/// <summary>Lists every file that a database refers to: the files to scrub and copy, and to keep in a sweep.</summary>
internal static class FileReferences
{
    /// <summary>Lists every file that the metadata and the ledger refer to.</summary>
    public static async IAsyncEnumerable<FileReference> ListAsync(
        PadimDbContext db,
        LedgerDbContext ledger,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (var reference in ListAsync(db, cancellationToken))
            yield return reference;
        await foreach (
            var row in ledger
                .Inspections.AsNoTracking()
                .Where(row => row.ImageBytes != null)
                .OrderBy(row => row.Category)
                .AsAsyncEnumerable()
                .WithCancellation(cancellationToken)
        )
            yield return new FileReference(row.ImageKey, FileKind.Inspection, row.Category, row.Sha256);
    }

    /// <summary>Lists every file that the metadata refers to.</summary>
    public static async IAsyncEnumerable<FileReference> ListAsync(
        PadimDbContext db,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (
            var mask in await db
                .Categories.Where(c => c.IgnoreMaskSha256 != null)
                .Select(c => new { c.Name, c.IgnoreMaskSha256 })
                .ToListAsync(cancellationToken)
        )
            if (seen.Add(mask.IgnoreMaskSha256!))
                yield return new FileReference(
                    BlobStore.GetKey(mask.IgnoreMaskSha256!),
                    FileKind.IgnoreMask,
                    mask.Name,
                    mask.IgnoreMaskSha256
                );

        var models = await db
            .Models.Select(m => new
            {
                m.Category,
                m.Version,
                m.FileName,
                m.Sha256,
                m.BackboneName,
                m.BackboneSha256,
            })
            .ToListAsync(cancellationToken);
        foreach (var m in models)
        {
            var stored = new StoredModel
            {
                Category = m.Category,
                Version = m.Version,
                FileName = m.FileName,
                Sha256 = m.Sha256,
                BackboneName = m.BackboneName,
                BackboneSha256 = m.BackboneSha256,
            };
            yield return new FileReference(
                ModelFiles.GetKey(m.Category, m.FileName),
                FileKind.Model,
                m.Category,
                m.Sha256,
                stored
            );
        }
        foreach (var newest in models.GroupBy(m => m.Category).Select(group => group.MaxBy(m => m.Version)!))
            yield return new FileReference(
                ModelFiles.GetKey(newest.Category, ModelFiles.GetStatisticsName(newest.FileName)),
                FileKind.Statistics,
                newest.Category,
                null
            );

        await foreach (
            var image in db
                .Images.Select(i => new
                {
                    i.Category,
                    i.Sha256,
                    i.MaskSha256,
                })
                .AsAsyncEnumerable()
                .WithCancellation(cancellationToken)
        )
        {
            if (seen.Add(image.Sha256))
                yield return new FileReference(
                    BlobStore.GetKey(image.Sha256),
                    FileKind.Image,
                    image.Category,
                    image.Sha256
                );
            if (image.MaskSha256 is { } mask && seen.Add(mask))
                yield return new FileReference(BlobStore.GetKey(mask), FileKind.Mask, image.Category, mask);
        }
    }
}
