using System.Globalization;
using PaDiM.Service.Access;
using PaDiM.Service.Http;

namespace PaDiM.Service.Datasets;

/// <summary>
/// <c>/v1/categories/{category}/models/{version}</c>: the images that a version was fitted to, as a list and as an
/// archive.
/// </summary>
internal static class ModelSetEndpoints
{
    public static void MapModelSets(this RouteGroupBuilder category)
    {
        var model = category.MapGroup("models/{version:int}").WithTags("Models");
        model
            .MapGet("images", ListAsync)
            .WithName("ListModelImages")
            .WithSummary("Lists the images that a version was fitted to")
            .WithDescription("In the order of the model, with their hashes and the names that they had then.")
            .Produces<Page<ModelImageResponse>>();
        model
            .MapGet("dataset", ExportAsync)
            .WithName("ExportModelDataset")
            .WithSummary("Exports the images that a version was fitted to as a zip archive")
            .WithDescription(
                "The images are in `train/good`. Models keep no images: those that were deleted from the category are "
                    + "there until the next sweep only. If some are gone, the answer is 410 and names them; "
                    + "`skipMissing=true` exports the others."
            )
            .Produces<byte[]>(StatusCodes.Status200OK, DatasetWriter.MediaType);
    }

    private static async Task<IResult> ListAsync(
        string category,
        int version,
        Caller caller,
        DatasetReader reader,
        CancellationToken cancellationToken,
        int? limit = null,
        string? cursor = null
    )
    {
        if (!PageRequest.Parse(limit, cursor).Succeeded(out var page, out var problem))
            return problem;
        var read = await reader.ReadModelAsync(category, version, caller, cancellationToken);
        if (!read.Succeeded(out var images, out problem))
            return problem;
        var from = int.TryParse(page.After, NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            ? last + 1
            : 0;
        var rows = images.Select((image, i) => (image, i)).Skip(from).Take(page.Limit + 1).ToArray();
        return TypedResults.Ok(
            page.Cut(
                rows,
                row => row.i.ToString(CultureInfo.InvariantCulture),
                row => new ModelImageResponse(row.image.Sha256, row.image.FileName, row.image.Id, row.image.Available)
            )
        );
    }

    private static async Task<IResult> ExportAsync(
        string category,
        int version,
        HttpRequest request,
        Caller caller,
        DatasetReader reader,
        DatasetWriter writer,
        CancellationToken cancellationToken,
        bool skipMissing = false
    )
    {
        var read = await reader.ReadModelToExportAsync(category, version, skipMissing, caller, cancellationToken);
        return read.ToResult(images =>
            DatasetEndpoints.Send(request, writer, images, $"{category}-{version}.zip", cancellationToken)
        );
    }
}
