using System.IO.Compression;
using System.IO.Hashing;
using Microsoft.Extensions.Options;
using PaDiM.Engine.Files;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Images;

namespace PaDiM.Service.Datasets;

/// <summary>
/// Imports an archive image by image. Each is stored whole or not at all, and one that is stored already is recognised,
/// so an import that was broken off is sent again.
/// </summary>
internal sealed class DatasetImport(
    ImageStore store,
    BlobStore blobs,
    DiskSpace space,
    IOptions<DatasetOptions> options,
    IOptions<ImageOptions> imageOptions
)
{
    /// <summary>Imports an archive.</summary>
    /// <param name="category">Name of an existing category.</param>
    /// <param name="file">The archive, in a file.</param>
    /// <param name="cancellationToken">Stops after the image at hand.</param>
    /// <returns>What was stored, or why nothing was.</returns>
    public async Task<Outcome<ImportResponse>> RunAsync(
        string category,
        Stream file,
        CancellationToken cancellationToken
    )
    {
        if (ZipDirectory.Count(file, options.Value.MaxArchiveEntries) is not { } count)
            return Problems.InvalidArchive("The file is not a zip archive, or is cut short.");
        if (count > options.Value.MaxArchiveEntries)
            return Problems.ArchiveTooLarge(
                $"The archive has more than {options.Value.MaxArchiveEntries:N0} entries (MaxArchiveEntries)."
            );
        file.Position = 0;
        try
        {
            await using var archive = await ZipArchive.CreateAsync(
                file,
                ZipArchiveMode.Read,
                leaveOpen: true,
                entryNameEncoding: null,
                cancellationToken
            );
            if (archive.Entries.Count != count)
                return Problems.InvalidArchive("The directory of the archive is damaged.");
            if (CheckSize(archive.Entries, file.Length) is { } tooLarge)
                return tooLarge;
            return await ImportAsync(category, archive.Entries, cancellationToken);
        }
        catch (InvalidDataException)
        {
            return Problems.InvalidArchive("The directory of the archive is damaged.");
        }
    }

    private Problem? CheckSize(IReadOnlyList<ZipArchiveEntry> entries, long length)
    {
        var most = options.Value.MaxArchiveExpandedBytes;
        var ratio = options.Value.MaxArchiveRatio;
        // Entries may say any length; a sum of longs could overflow.
        var expanded = entries.Aggregate(UInt128.Zero, (sum, entry) => sum + (UInt128)(ulong)entry.Length);
        return expanded > (UInt128)(ulong)most
                ? Problems.ArchiveTooLarge(
                    $"The archive expands to more than {most:N0} bytes (MaxArchiveExpandedBytes)."
                )
            : expanded > (UInt128)(ulong)imageOptions.Value.MaxImageBytes
            && expanded > (UInt128)(ulong)length * (UInt128)(uint)ratio
                ? Problems.ArchiveTooLarge(
                    $"The archive expands to more than {ratio} times its size (MaxArchiveRatio)."
                )
            : null;
    }

    private async Task<Outcome<ImportResponse>> ImportAsync(
        string category,
        IReadOnlyList<ZipArchiveEntry> entries,
        CancellationToken cancellationToken
    )
    {
        var tally = new ImportTally();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var images = new List<(ZipArchiveEntry Entry, LaidOut Place)>();
        var masks = new Dictionary<(string Folder, string Owner), ZipArchiveEntry>();
        var tops = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            var place = DatasetLayout.Classify(entry);
            if (place.Kind is EntryKind.Image or EntryKind.Mask)
            {
                tops.Add(place.Top);
                if (!names.Add(entry.FullName))
                    place = new LaidOut(EntryKind.Refused)
                    {
                        Fault = Problems.InvalidEntry("An earlier entry has the same name."),
                    };
            }
            switch (place.Kind)
            {
                case EntryKind.Image:
                    images.Add((entry, place));
                    break;
                case EntryKind.Mask when masks.TryAdd((place.Folder, MaskName.GetOwner(place.Stem)), entry):
                    break;
                case EntryKind.Mask:
                    tally.Reject(entry, Problems.MaskMismatch("An earlier mask belongs to the same image."));
                    break;
                case EntryKind.Refused:
                    tally.Reject(entry, place.Fault!);
                    break;
                default:
                    tally.Ignored++;
                    break;
            }
        }
        if (tops.Count > 1)
            return Problems.InvalidArchive(
                "The archive holds several data sets, in the folders "
                    + $"{string.Join(", ", tops.Take(5).Select(ShowTop))}; import one into each category."
            );
        if (images.Count == 0 && tally.First is null)
            return Problems.InvalidArchive(
                "The archive has no image in train/good, test/good or test/DEFECT, with one folder above them or "
                    + "without."
            );
        var shared = images
            .Where(image => image.Place.Settings.Label == ImageLabel.Anomalous)
            .GroupBy(image => (image.Place.Folder, image.Place.Stem))
            .Where(group => group.Skip(1).Any())
            .Select(group => group.Key)
            .ToHashSet();
        foreach (var (entry, place) in images)
        {
            if (space.ValidateFreeSpace() is { } full)
                return full;
            if (
                !(await StoreAsync(category, entry, place, tally, cancellationToken)).Succeeded(
                    out var image,
                    out var problem
                )
            )
            {
                tally.Reject(entry, problem);
                continue;
            }
            if (place.Settings.Label == ImageLabel.Normal)
                continue;
            var key = (place.Folder, place.Stem);
            if (!shared.Contains(key) && masks.Remove(key, out var mask))
                await AttachAsync(image, mask, tally, cancellationToken);
        }
        foreach (var (key, mask) in masks)
            tally.Reject(
                mask,
                Problems.MaskMismatch(
                    shared.Contains(key)
                        ? $"Several images of {DatasetLayout.Test}/{key.Folder} have the name of the mask."
                        : $"No image that was stored from {DatasetLayout.Test}/{key.Folder} has the name of the mask."
                )
            );
        return tally.Stored > 0
            ? tally.Describe()
            : tally.First! with
            {
                Status = StatusCodes.Status400BadRequest,
                Extra = tally.Rejected,
            };
    }

    private static string ShowTop(string top) => top.Length == 0 ? "(top)" : ImageRequest.CleanName(top);

    private async Task<Outcome<AcceptedImage>> StoreAsync(
        string category,
        ZipArchiveEntry entry,
        LaidOut place,
        ImportTally tally,
        CancellationToken cancellationToken
    )
    {
        if (!(await ReadAsync(entry, cancellationToken)).Succeeded(out var bytes, out var problem))
            return problem;
        // What is stored needs no decoding: an import that is sent again is done as fast as the archive is read.
        if (await store.FindAsync(category, FileHash.Compute(bytes), cancellationToken) is { } stored)
        {
            if (!ImageStore.AcceptDuplicate(stored, place.Settings.Label).Succeeded(out var duplicate, out problem))
                return problem;
            await blobs.PutAsync(bytes, cancellationToken);
            tally.Count(duplicate, place.Settings);
            return duplicate;
        }
        var file = new RequestFile("files", place.FileName, bytes, null, null);
        if (
            !(await store.AddAsync(category, file, place.Settings, cancellationToken)).Succeeded(
                out var image,
                out problem
            )
        )
            return problem;
        tally.Count(image, place.Settings);
        return image;
    }

    private async Task AttachAsync(
        AcceptedImage image,
        ZipArchiveEntry entry,
        ImportTally tally,
        CancellationToken cancellationToken
    )
    {
        if (await TryAttachAsync() is { } problem)
            tally.Reject(entry, problem);
        else
            tally.Masks++;

        async Task<Problem?> TryAttachAsync()
        {
            if (!(await ReadAsync(entry, cancellationToken)).Succeeded(out var bytes, out var unreadable))
                return unreadable;
            var file = new RequestFile("masks", entry.Name, bytes, null, null);
            return (await store.PutMaskAsync(file, cancellationToken)).Succeeded(out var mask, out var refused)
                ? await store.AttachMaskAsync(image, mask, cancellationToken)
                : refused;
        }
    }

    /// <summary>Reads an entry, never more than it says and never more than an image may have.</summary>
    private async Task<Outcome<byte[]>> ReadAsync(ZipArchiveEntry entry, CancellationToken cancellationToken)
    {
        var limit = imageOptions.Value.MaxImageBytes;
        if (entry.Length > limit)
            return Problems.ImageBytes(limit);
        try
        {
            var bytes = new byte[entry.Length];
            await using var content = await entry.OpenAsync(cancellationToken);
            var read = await content.ReadAtLeastAsync(
                bytes,
                bytes.Length,
                throwOnEndOfStream: false,
                cancellationToken
            );
            var isWhole =
                read == bytes.Length
                && await content.ReadAsync(new byte[1], cancellationToken) == 0
                && Crc32.HashToUInt32(bytes) == entry.Crc32;
            return isWhole
                ? bytes
                : Problems.InvalidEntry("The entry is damaged: its length or its checksum is not what it says.");
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or NotSupportedException)
        {
            return Problems.InvalidEntry("The entry is damaged or compressed in a way that is not read; use deflate.");
        }
    }
}
