using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Access;
using PaDiM.Service.Admission;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Images;

/// <summary>
/// <c>/v1/categories/{category}/ignore-mask</c>: pixels to ignore, such as a date code or the fixture.
/// </summary>
internal static class IgnoreMaskEndpoints
{
    public static void MapIgnoreMask(this RouteGroupBuilder category)
    {
        var mask = category.MapGroup("ignore-mask").WithTags("Images");
        mask.MapPut("", PutAsync)
            .Audited("ignore-mask.put")
            .ReadsUploads()
            .WithName("PutIgnoreMask")
            .WithSummary("Sets the pixels to ignore")
            .WithDescription(
                "An image of the camera's view, of any size. White pixels are excluded from the score, the "
                    + "regions and the evaluation. The mask applies from the next fit; the active model keeps its "
                    + "own."
            )
            .Accepts<IFormFile>(ImageMediaTypes.Bodies[0], [.. ImageMediaTypes.Bodies[1..], FormReader.MediaType])
            .Produces<CategoryResponse>();
        mask.MapGet("", GetAsync)
            .WithName("GetIgnoreMask")
            .WithSummary("Gets the ignore mask as uploaded")
            .Produces<byte[]>(StatusCodes.Status200OK, ImageMediaTypes.Files[0], ImageMediaTypes.Files[1..])
            .ProducesFile();
        mask.MapDelete("", DeleteAsync)
            .Audited("ignore-mask.delete")
            .WithName("DeleteIgnoreMask")
            .WithSummary("Removes the ignore mask, from the next fit on")
            .Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> PutAsync(
        string category,
        HttpRequest request,
        ImageRequest reader,
        ImageDecoder decoder,
        ImageAdmission admission,
        BlobStore blobs,
        DiskSpace space,
        CategoryStore store,
        CancellationToken cancellationToken
    )
    {
        if (!(await store.GetAsync(category, cancellationToken)).Succeeded(out var found, out var problem))
            return problem;
        if (space.ValidateFreeSpace() is { } full)
            return full;
        if (
            !(await reader.ReadOneAsync(request, layout: null, cancellationToken, takesMask: true)).Succeeded(
                out var file,
                out problem
            )
        )
            return problem;
        if (await CheckAsync(file.Bytes, found, decoder, admission, cancellationToken) is { } unusable)
            return unusable;
        var sha256 = await blobs.PutAsync(file.Bytes, cancellationToken);
        if (await store.SetIgnoreMaskAsync(category, sha256, cancellationToken) is { } gone)
            return gone;
        return (await store.GetAsync(category, cancellationToken)).ToResult(TypedResults.Ok);
    }

    private static async Task<Problem?> CheckAsync(
        byte[] bytes,
        CategoryResponse category,
        ImageDecoder decoder,
        ImageAdmission admission,
        CancellationToken cancellationToken
    )
    {
        if (!decoder.TryProbe(bytes, out var header, out var refused))
            return Problems.Image(refused);
        using var lease = await admission.AcquireAsync(header.DecodeBytes, Priority.Batch, cancellationToken);
        if (!decoder.Decode(bytes, DecodeOptions.Mask).TryGetImage(out var mask, out refused))
            return Problems.Image(refused);
        var sizes = new FitSettings
        {
            ImageSize = category.ImageSize ?? new FitSettings().ImageSize,
            ImageWidth = category.ImageWidth,
            ImageHeight = category.ImageHeight,
            Aspect = category.Aspect,
            CropSize = category.CropSize,
            Region = category.Region is { } box ? new ImageRegion(box.X, box.Y, box.Width, box.Height) : null,
        };
        var ignored = MaskImage.GetMarks(mask, sizes);
        return sizes.ValidateIgnoreMask(ignored, sizes.GetSeenSize(new Grid(mask.Height, mask.Width))) is { } fault
            ? Problems.IgnoreMaskUnusable(fault)
            : null;
    }

    private static async Task<IResult> GetAsync(
        string category,
        CategoryStore store,
        BlobStore blobs,
        CancellationToken cancellationToken
    )
    {
        if (!(await store.GetAsync(category, cancellationToken)).Succeeded(out var found, out var problem))
            return problem;
        if (found.IgnoreMaskSha256 is not { } sha256)
            return Problems.IgnoreMaskNotFound(category);
        if (
            await blobs.ReadAsync(sha256, cancellationToken) is not { } bytes
            || ImageFormats.Recognise(bytes) is not { } format
        )
            return Problems.ImageDamaged(sha256);
        return new StoredFile(
            new MemoryStream(bytes),
            format.MediaType(),
            $"{category}-ignore-mask{format.Extension()}",
            sha256
        );
    }

    private static async Task<IResult> DeleteAsync(
        string category,
        CategoryStore store,
        CancellationToken cancellationToken
    ) =>
        await store.SetIgnoreMaskAsync(category, null, cancellationToken) is { } problem
            ? problem
            : TypedResults.NoContent();
}
