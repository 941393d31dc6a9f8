using System.Text.Json;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Options;
using PaDiM.Service.Access;
using PaDiM.Service.Http;

namespace PaDiM.Service.Images;

/// <summary>
/// <c>/v1/categories/{category}/images</c> and <c>dataset</c>: relabels images and moves them between defects, one or
/// many, and deletes many.
/// </summary>
internal static class ImageChangeEndpoints
{
    /// <summary>Number of identifiers that an audit entry lists; the selection and the count are complete.</summary>
    private const int AuditedIds = 1000;

    public static void MapImageChanges(this RouteGroupBuilder category)
    {
        var images = category.MapGroup("images").WithTags("Images");
        images
            .MapPatch("{id}", PatchAsync)
            .Audited("image.patch")
            .WithName("PatchImage")
            .WithSummary("Changes the label or the defect of an image")
            .WithDescription(
                "A JSON merge patch (RFC 7396) of label, defect and heldOut. An image that becomes normal loses its "
                    + "kind of defect; one with a mask is refused unless `dropMasks=true` removes the mask. Published "
                    + "models stay as they are; the next fit follows the new labels."
            )
            .Accepts<ImageSettings>(MergePatch.MediaType, "application/json")
            .Produces<ImageResponse>();
        // Not below images, where they would be identifiers to the other methods.
        var dataset = category.MapGroup("dataset").WithTags("Images");
        dataset
            .MapPost("update", UpdateAsync)
            .Audited("images.update")
            .WithName("UpdateImages")
            .WithSummary("Changes the label or the defect of many images")
            .WithDescription(
                "Selects images by a list or by conditions, and changes all of them in one transaction, or none. "
                    + "With `dryRun`, it only counts them."
            )
            .Accepts<UpdateImagesRequest>("application/json")
            .Produces<ImagesChangedResponse>();
        dataset
            .MapPost("delete", DeleteAsync)
            .Audited("images.delete")
            .WithName("DeleteImages")
            .WithSummary("Deletes many images")
            .WithDescription(
                "Selects images by a list or by conditions, and deletes all of them in one transaction, or none. A "
                    + "selection by conditions must say how many images it `expected`; a request with `dryRun` counts "
                    + "them. An empty selection is refused."
            )
            .Produces<ImagesChangedResponse>();
    }

    private static async Task<IResult> PatchAsync(
        string category,
        string id,
        JsonElement body,
        HttpContext context,
        ImageStore store,
        ImageChanges changes,
        IOptions<JsonOptions> json,
        CancellationToken cancellationToken,
        bool dropMasks = false
    )
    {
        context.AddAuditDetail(body);
        if (!ImageChange.Parse(body, json.Value.SerializerOptions).Succeeded(out var change, out var problem))
            return problem;
        var update = await changes.UpdateAsync(
            category,
            new ImageSelection { Ids = [id] },
            change,
            dropMasks,
            expected: null,
            dryRun: false,
            cancellationToken
        );
        if (!update.Succeeded(out _, out problem))
            return problem;
        return (await store.GetAsync(category, id, cancellationToken)).ToResult(image =>
            TypedResults.Ok(ImageResponse.From(image))
        );
    }

    private static async Task<IResult> UpdateAsync(
        string category,
        JsonElement body,
        HttpContext context,
        ImageChanges changes,
        IOptions<JsonOptions> json,
        CancellationToken cancellationToken
    )
    {
        var options = json.Value.SerializerOptions;
        var request = Read(body, options);
        context.AddAuditDetail(request with { Select = WithoutIds(request.Select) });
        if (CheckSelection(request.Select) is { } unselected)
            return unselected;
        if (request.Set is not { ValueKind: JsonValueKind.Object } set)
            return Problems.InvalidRequest("set must be an object with label, defect or heldOut.");
        if (!ImageChange.Parse(set, options).Succeeded(out var change, out var problem))
            return problem;
        var update = await changes.UpdateAsync(
            category,
            request.Select!,
            change,
            request.DropMasks,
            request.Expected,
            request.DryRun,
            cancellationToken
        );
        return Answer(context, request with { Select = WithoutIds(request.Select) }, update);
    }

    private static async Task<IResult> DeleteAsync(
        string category,
        DeleteImagesRequest request,
        HttpContext context,
        ImageChanges changes,
        CancellationToken cancellationToken
    )
    {
        var audited = request with { Select = WithoutIds(request.Select) };
        context.AddAuditDetail(audited);
        if (CheckSelection(request.Select) is { } unselected)
            return unselected;
        if (request is { DryRun: false, Expected: null } && !request.Select!.IsList())
            return Problems.InvalidRequest(
                "A deletion by conditions requires expected, the number of images to delete. Send the request with "
                    + "dryRun: true to learn it."
            );
        var deletion = await changes.DeleteAsync(
            category,
            request.Select!,
            request.Expected,
            request.DryRun,
            cancellationToken
        );
        return Answer(context, audited, deletion);
    }

    /// <summary>Keeps a list of thousands of identifiers out of the audit trail.</summary>
    private static ImageSelection? WithoutIds(ImageSelection? selection) =>
        selection is null ? null : selection with { Ids = null };

    private static Problem? CheckSelection(ImageSelection? selection) =>
        selection is null ? new ImageSelection().Check() : selection.Check();

    private static UpdateImagesBody Read(JsonElement body, JsonSerializerOptions options)
    {
        try
        {
            return body.Deserialize<UpdateImagesBody>(options) ?? new UpdateImagesBody();
        }
        catch (JsonException e)
        {
            throw new BadHttpRequestException(e.Message, e);
        }
    }

    private static IResult Answer(
        HttpContext context,
        object request,
        Outcome<(ImagesChangedResponse Response, IReadOnlyList<string> Ids)> outcome
    )
    {
        if (!outcome.Succeeded(out var done, out var problem))
            return problem;
        context.AddAuditDetail(
            new
            {
                request,
                done.Response.Images,
                ids = done.Response.DryRun ? [] : done.Ids.Take(AuditedIds),
            }
        );
        return TypedResults.Ok(done.Response);
    }
}
