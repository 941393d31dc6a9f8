using System.IO.Compression;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Data;

namespace PaDiM.Service.Datasets;

/// <summary>
/// Writes images as a zip archive in the layout of MVTec AD, one image in memory at a time. An archive whose writing
/// was broken off has no directory, so no reader takes it for a whole one.
/// </summary>
internal sealed class DatasetWriter(BlobStore blobs)
{
    /// <summary>A file that its owner writes and everybody reads.</summary>
    private const int RegularFile = 0x81A4 << 16;

    /// <summary>Earliest time of a zip archive.</summary>
    private static readonly DateTime Earliest = new(1980, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public const string MediaType = "application/zip";

    /// <summary>Writes an archive.</summary>
    /// <param name="destination">Where to; it is left open.</param>
    /// <param name="images">The images, in the order of the archive.</param>
    /// <param name="cancellationToken">Breaks the writing off.</param>
    /// <exception cref="IOException">The bytes of an image are missing or damaged.</exception>
    public async Task WriteAsync(
        Stream destination,
        IEnumerable<DatasetImage> images,
        CancellationToken cancellationToken
    )
    {
        var stream = new DeferredWrites(destination);
        // Disposed on success only: disposal writes the directory, which makes an archive valid.
        var archive = await ZipArchive.CreateAsync(
            stream,
            ZipArchiveMode.Create,
            leaveOpen: true,
            entryNameEncoding: null,
            cancellationToken
        );
        var names = new EntryNames();
        foreach (var image in images)
        {
            var bytes = await ReadAsync(image.Sha256, cancellationToken);
            var (name, mask) = names.Create(image, GetExtension(bytes));
            await AddAsync(archive, name, bytes, image.At, cancellationToken);
            if (image.MaskSha256 is { } sha256)
            {
                bytes = await ReadAsync(sha256, cancellationToken);
                await AddAsync(archive, mask + GetExtension(bytes), bytes, image.At, cancellationToken);
            }
        }
        await archive.DisposeAsync();
        await stream.FlushAsync(cancellationToken);
    }

    private static async Task AddAsync(
        ZipArchive archive,
        string name,
        byte[] bytes,
        DateTime at,
        CancellationToken cancellationToken
    )
    {
        var entry = archive.CreateEntry(
            name,
            IsPacked(bytes) ? CompressionLevel.NoCompression : CompressionLevel.Fastest
        );
        entry.LastWriteTime = at < Earliest ? Earliest : at;
        entry.ExternalAttributes = RegularFile;
        await using var content = await entry.OpenAsync(cancellationToken);
        await content.WriteAsync(bytes, cancellationToken);
    }

    /// <summary>Gets whether compression would only cost time. Bitmaps, most TIFFs and maps are not packed.</summary>
    private static bool IsPacked(byte[] bytes) =>
        ImageFormats.Recognise(bytes) is not (ImageFormat.Bmp or ImageFormat.Tiff or ImageFormat.Pnm);

    private static string GetExtension(byte[] bytes) => ImageFormats.Recognise(bytes)?.Extension() ?? "";

    private async ValueTask<byte[]> ReadAsync(string sha256, CancellationToken cancellationToken) =>
        await blobs.ReadAsync(sha256, cancellationToken)
        ?? throw new IOException($"The stored image {sha256} is missing or damaged.");
}
