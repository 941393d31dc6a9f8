using PaDiM.Engine.Files;
using PaDiM.Service.Access;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Images;

namespace PaDiM.Service.Datasets;

/// <summary><c>/v1/categories/{category}/dataset</c>: all images of a category as one archive, out and in.</summary>
internal static class DatasetEndpoints
{
    /// <summary>How often the free space is checked while an archive arrives.</summary>
    private const long SpaceCheckBytes = 16 << 20;

    private static readonly string[] MediaTypes =
    [
        DatasetWriter.MediaType,
        "application/x-zip-compressed",
        "application/octet-stream",
    ];

    public static void MapDataset(this RouteGroupBuilder category)
    {
        var dataset = category.MapGroup("dataset").WithTags("Images");
        dataset
            .MapGet("", ExportAsync)
            .WithName("ExportDataset")
            .WithSummary("Exports all images of a category as a zip archive")
            .WithDescription(
                "Laid out as MVTec AD: `train/good`, `test/good` (held-out good parts), `test/DEFECT` and "
                    + "`ground_truth/DEFECT/NAME_mask.png`. The archive is written while it is sent; one that was "
                    + "broken off is not a valid archive."
            )
            .Produces<byte[]>(StatusCodes.Status200OK, DatasetWriter.MediaType);
        dataset
            .MapPost("", ImportAsync)
            .Audited("dataset.import")
            .ReadsUploads()
            .WithName("ImportDataset")
            .WithSummary("Imports images and masks from a zip archive")
            .WithDescription(
                "Reads the layout of MVTec AD, with a folder above it or without. `train/good` becomes normal images, "
                    + "`test/good` normal images that fits leave out, `test/DEFECT` anomalous images with their masks "
                    + "from `ground_truth/DEFECT`. Entries that cannot be read are listed, the others are stored. "
                    + "Images that are stored already are recognised, so an import can be sent again."
            )
            .Accepts<IFormFile>(MediaTypes[0], MediaTypes[1..])
            .Produces<ImportResponse>();
    }

    /// <summary>Sends images as an archive. HEAD, which has no body, reads none of them.</summary>
    public static IResult Send(
        HttpRequest request,
        DatasetWriter writer,
        IEnumerable<DatasetImage> images,
        string fileName,
        CancellationToken cancellationToken
    ) =>
        TypedResults.Stream(
            body =>
                HttpMethods.IsHead(request.Method)
                    ? Task.CompletedTask
                    : writer.WriteAsync(body, images, cancellationToken),
            DatasetWriter.MediaType,
            fileName
        );

    private static async Task<IResult> ExportAsync(
        string category,
        HttpRequest request,
        DatasetReader reader,
        DatasetWriter writer,
        CancellationToken cancellationToken
    ) =>
        (await reader.ReadCategoryAsync(category, cancellationToken)).ToResult(images =>
            Send(request, writer, images, $"{category}.zip", cancellationToken)
        );

    private static async Task<IResult> ImportAsync(
        string category,
        HttpRequest request,
        CategoryStore categories,
        DatasetImport import,
        DataDirectory data,
        DiskSpace space,
        CancellationToken cancellationToken
    )
    {
        if (!MediaTypes.Any(type => request.ContentType?.StartsWith(type, StringComparison.OrdinalIgnoreCase) is true))
            return Problems.UnsupportedMediaType(request.ContentType, "a zip archive as the body, application/zip");
        if (!await categories.ExistsAsync(category, cancellationToken))
            return Problems.CategoryNotFound(category);
        if ((space.ValidateFreeSpace() ?? space.ValidateRoomFor(request.ContentLength ?? 0)) is { } full)
            return full;
        // The directory of a zip archive is at its end, so the archive is read from a file. It is deleted with its
        // handle; the sweep removes what a killed process leaves behind.
        await using var file = new FileStream(
            Path.Combine(data.Images, $"import{AtomicFile.TemporaryMark}{Guid.NewGuid():n}"),
            FileMode.CreateNew,
            FileAccess.ReadWrite,
            FileShare.Delete,
            1 << 16,
            FileOptions.Asynchronous | FileOptions.DeleteOnClose
        );
        if (await ReceiveAsync(request.Body, file, space, cancellationToken) is { } filled)
            return filled;
        var outcome = await import.RunAsync(category, file, cancellationToken);
        if (!outcome.Succeeded(out var imported, out var problem))
            return problem;
        request.HttpContext.AddAuditDetail(
            new
            {
                imported.Added,
                imported.Duplicates,
                imported.Masks,
                rejected = imported.RejectedCount,
            }
        );
        return TypedResults.Ok(imported);
    }

    private static async Task<Problem?> ReceiveAsync(
        Stream body,
        FileStream file,
        DiskSpace space,
        CancellationToken cancellationToken
    )
    {
        var buffer = new byte[1 << 16];
        long sinceCheck = 0;
        for (int read; (read = await body.ReadAsync(buffer, cancellationToken)) > 0; )
        {
            await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            sinceCheck += read;
            if (sinceCheck < SpaceCheckBytes)
                continue;
            sinceCheck = 0;
            if (space.ValidateFreeSpace() is { } full)
                return full;
        }
        await file.FlushAsync(cancellationToken);
        return null;
    }
}
