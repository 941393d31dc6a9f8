using Microsoft.Net.Http.Headers;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Access;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Images;

/// <summary><c>/v1/categories/{category}/images</c>: uploads, lists, gets and deletes images.</summary>
internal static class ImageEndpoints
{
    /// <summary>An identifier never stands for other bytes.</summary>
    private const string Immutable = "private, max-age=31536000, immutable";

    /// <summary>A thumbnail changes with the depth that its category declares.</summary>
    private const string OneHour = "private, max-age=3600";

    public static void MapImageEndpoints(this RouteGroupBuilder category)
    {
        var images = category.MapGroup("images").WithTags("Images");
        images
            .MapPost("", UploadAsync)
            .Audited("images.upload")
            .ReadsUploads()
            .WithName("UploadImages")
            .WithSummary("Uploads images")
            .WithDescription(
                "Send any number of files as multipart/form-data (field `files`; for anomalous images, "
                    + "`masks` with matching names), or one image as the body. Invalid files are listed, valid "
                    + "ones are stored. With `width`, `height` and `format`, every file is raw pixels; these are "
                    + "stored as PNG, and so are files of more than 8 bits with `significantBits`; the hash is that of "
                    + "the PNG."
            )
            .Accepts<IFormFileCollection>(FormReader.MediaType, ImageMediaTypes.Bodies)
            .Produces<UploadResponse>();
        images
            .MapGet("", ListAsync)
            .WithName("ListImages")
            .WithSummary("Lists images in upload order")
            .Produces<Page<ImageResponse>>();
        images
            .MapGet("{id}", DownloadAsync)
            .WithName("GetImage")
            .WithSummary("Gets the original bytes of an image")
            .Produces<byte[]>(StatusCodes.Status200OK, ImageMediaTypes.Files[0], ImageMediaTypes.Files[1..])
            .ProducesFile();
        images
            .MapGet("{id}/thumbnail", ThumbnailAsync)
            .WithName("GetThumbnail")
            .WithSummary("Gets a thumbnail of an image (JPEG)")
            .Produces<byte[]>(StatusCodes.Status200OK, "image/jpeg")
            .Produces(StatusCodes.Status304NotModified);
        images
            .MapDelete("{id}", DeleteAsync)
            .Audited("image.delete")
            .WithName("DeleteImage")
            .WithSummary("Deletes an image")
            .WithDescription("The next incremental fit removes it from the statistics.")
            .Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> UploadAsync(
        string category,
        HttpRequest request,
        CategoryStore categories,
        ImageStore store,
        ImageRequest reader,
        ImageDecoder decoder,
        DiskSpace space,
        CancellationToken cancellationToken,
        Choice<ImageLabel>? label = null,
        string? defect = null,
        bool heldOut = false,
        int? width = null,
        int? height = null,
        Choice<PixelFormat>? format = null,
        int? significantBits = null
    )
    {
        var shows = label?.Value ?? ImageLabel.Normal;
        if (ImageRequest.CheckContentType(request) is { } wrongType)
            return wrongType;
        var settings = new ImageSettings
        {
            Label = shows,
            Defect = defect,
            HeldOut = heldOut,
        };
        if ((ImageChange.CheckDefect(defect, shows) ?? ImageChange.CheckHeldOut(heldOut, shows)) is { } contradiction)
            return contradiction;
        if (
            !PixelQuery
                .Parse(request, width, height, format?.Value, significantBits, decoder)
                .Succeeded(out var layout, out var misfit)
        )
            return misfit;
        if (!await categories.ExistsAsync(category, cancellationToken))
            return Problems.CategoryNotFound(category);
        if (space.ValidateFreeSpace() is { } full)
            return full;

        var accepted = new List<(string Stem, AcceptedImage Image)>();
        var rejected = new List<RejectedFile>();
        var masks = new List<StoredMask>();
        Problem? first = null;
        try
        {
            await foreach (var file in reader.ReadAllAsync(request, layout, cancellationToken))
            {
                if (space.ValidateFreeSpace() is { } filled)
                    return filled;
                if (await StoreAsync(file with { SignificantBits = significantBits }) is { } problem)
                    Reject(file.FileName, problem);
            }
        }
        catch (QueryFieldException)
        {
            // A label behind the files: what was stored without it must not stay.
            foreach (var (_, image) in accepted.Where(item => !item.Image.Duplicate))
                await store.DeleteAsync(category, image.Id, CancellationToken.None);
            throw;
        }
        foreach (var mask in masks)
        {
            if (await AttachAsync(mask) is { } problem)
                Reject(mask.FileName, problem);
        }
        request.HttpContext.AddAuditDetail(
            new { accepted = accepted.ConvertAll(item => item.Image.Id), rejected = rejected.Count }
        );
        if (accepted.Count > 0)
            return TypedResults.Ok(new UploadResponse([.. accepted.Select(item => item.Image)], rejected));
        return first is null
            ? ImageRequest.CreateNoImagesProblem(request)
            : first with
            {
                Status = StatusCodes.Status400BadRequest,
                Extra = rejected,
            };

        async Task<Problem?> StoreAsync(RequestFile file)
        {
            switch (file.Field)
            {
                case var field when FormFields.IsFile(field):
                    if (
                        !(await store.AddAsync(category, file, settings, cancellationToken)).Succeeded(
                            out var image,
                            out var refused
                        )
                    )
                        return refused;
                    accepted.Add((GetStem(file.FileName), image));
                    return null;
                case var field when !FormFields.IsMask(field):
                    return FormFields.CreateProblem(field);
                case var _ when shows == ImageLabel.Normal:
                    return Problems.MaskMismatch("Masks require label=anomalous.");
                default:
                    if (
                        !(await store.PutMaskAsync(file, cancellationToken)).Succeeded(out var mask, out var unreadable)
                    )
                        return unreadable;
                    masks.Add(mask);
                    return null;
            }
        }

        async Task<Problem?> AttachAsync(StoredMask mask)
        {
            var stem = MaskName.GetOwner(GetStem(mask.FileName));
            int[] owners = [.. Enumerable.Range(0, accepted.Count).Where(i => accepted[i].Stem == stem)];
            if (owners.Length == 0)
                return Problems.MaskMismatch(
                    "No accepted image of this request matches the mask's name; a mask is named NAME.png or "
                        + "NAME_mask.png for the image NAME."
                );
            if (owners.Length > 1)
                return Problems.MaskMismatch(
                    $"{owners.Length} images of this request are named '{stem}'; send images of the same name "
                        + "in separate requests."
                );
            if (await store.AttachMaskAsync(accepted[owners[0]].Image, mask, cancellationToken) is { } unlike)
                return unlike;
            accepted[owners[0]] = (stem, accepted[owners[0]].Image with { HasMask = true });
            return null;
        }

        void Reject(string fileName, Problem problem)
        {
            first ??= problem;
            rejected.Add(new RejectedFile(fileName, problem.Code, problem.Detail));
        }
    }

    private static string GetStem(string fileName) => Path.GetFileNameWithoutExtension(fileName);

    private static async Task<IResult> ListAsync(
        string category,
        ImageStore store,
        CancellationToken cancellationToken,
        Choice<ImageLabel>? label = null,
        int? limit = null,
        string? cursor = null
    )
    {
        if (!PageRequest.Parse(limit, cursor).Succeeded(out var page, out var problem))
            return problem;
        return (await store.ListAsync(category, label?.Value, page, cancellationToken)).ToResult(TypedResults.Ok);
    }

    private static async Task<IResult> DownloadAsync(
        string category,
        string id,
        ImageStore store,
        BlobStore blobs,
        HttpResponse response,
        CancellationToken cancellationToken
    )
    {
        if (!(await store.GetAsync(category, id, cancellationToken)).Succeeded(out var image, out var problem))
            return problem;
        if (await blobs.ReadAsync(image.Sha256, cancellationToken) is not { } bytes)
            return Problems.ImageDamaged(image.Sha256);
        response.Headers.CacheControl = Immutable;
        return new StoredFile(new MemoryStream(bytes), image.Format.MediaType(), image.FileName, image.Sha256);
    }

    private static async Task<IResult> ThumbnailAsync(
        string category,
        string id,
        ImageStore store,
        BlobStore blobs,
        Thumbnails thumbnails,
        HttpRequest request,
        HttpResponse response,
        CancellationToken cancellationToken
    )
    {
        if (!(await store.GetAsync(category, id, cancellationToken)).Succeeded(out var image, out var problem))
            return problem;
        var decoding = await store.GetDecodingAsync(category, cancellationToken);
        // Weak, because another version of the service may compress differently.
        var tag = StoredFile.CreateTag(
            decoding.SignificantBits is { } bits ? $"{image.Sha256}-{bits}" : image.Sha256,
            isWeak: true
        );
        if (StoredFile.IsKnown(request, tag))
        {
            SetThumbnailHeaders(response, tag);
            return TypedResults.StatusCode(StatusCodes.Status304NotModified);
        }
        if (await blobs.ReadAsync(image.Sha256, cancellationToken) is not { } bytes)
            return Problems.ImageDamaged(image.Sha256);
        if (await thumbnails.CreateAsync(bytes, decoding, cancellationToken) is not { } thumbnail)
            return Problems.ImageDamaged(image.Sha256);
        SetThumbnailHeaders(response, tag);
        return TypedResults.Bytes(thumbnail, "image/jpeg");
    }

    private static async Task<IResult> DeleteAsync(
        string category,
        string id,
        ImageStore store,
        CancellationToken cancellationToken
    ) => await store.DeleteAsync(category, id, cancellationToken) is { } problem ? problem : TypedResults.NoContent();

    private static void SetThumbnailHeaders(HttpResponse response, EntityTagHeaderValue tag)
    {
        response.Headers.ETag = tag.ToString();
        response.Headers.CacheControl = OneHour;
    }
}
