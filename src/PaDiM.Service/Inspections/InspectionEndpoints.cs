using Microsoft.AspNetCore.Mvc;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;
using PaDiM.Service.Access;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Images;

namespace PaDiM.Service.Inspections;

/// <summary><c>/v1/inspections</c>: what was inspected, the photographs that are kept, and verdicts.</summary>
internal static class InspectionEndpoints
{
    private const string Immutable = "private, max-age=31536000, immutable";

    public static void MapInspectionEndpoints(this IEndpointRouteBuilder routes)
    {
        var inspections = routes.MapGroup("/v1/inspections").Needs(AccessScope.Review).WithTags("Inspections");
        inspections
            .MapGet("", ListAsync)
            .WithName("ListInspections")
            .WithSummary("Lists inspections")
            .WithDescription(
                "Newest first, or by `order`; with `minScore` or `maxScore`, highest score first unless `order` says "
                    + "otherwise. Filters other than `from` and `to` need a `category`. `verdict=open` is the review queue: "
                    + "what is not normal and has no verdict."
            )
            .Produces<Page<InspectionResponse>>();
        inspections
            .MapDelete("", DeleteAsync)
            .Needs(AccessScope.Admin)
            .Audited("inspections.delete")
            .WithName("DeleteInspections")
            .WithSummary("Deletes the inspections of a part")
            .WithDescription("Rows and images of every inspection of this part, in this category.")
            .Produces<DeletedInspections>();
        inspections.MapFigures();
        inspections
            .MapGet("{id}", GetAsync)
            .WithName("GetInspection")
            .WithSummary("Gets an inspection")
            .Produces<InspectionResponse>();
        inspections
            .MapGet("{id}/image", DownloadAsync)
            .WithName("GetInspectionImage")
            .WithSummary("Gets the photograph of an inspection, as it was received")
            .Produces<byte[]>(StatusCodes.Status200OK, ImageMediaTypes.Files[0], ImageMediaTypes.Files[1..])
            .ProducesFile();
        inspections
            .MapGet("{id}/heatmap", DrawAsync)
            .WithName("GetInspectionHeatmap")
            .WithSummary("Makes the heatmap of an inspection again (PNG)")
            .WithDescription(
                "With the version and the threshold that decided then; 404 if the version was deleted or the photograph is "
                    + "not kept. A photograph that several categories scored has the heatmap of the one that decided."
            )
            .Produces<byte[]>(StatusCodes.Status200OK, "image/png");
        inspections
            .MapGet("{id}/drawing", DrawRegionsAsync)
            .WithName("GetInspectionDrawing")
            .WithSummary("Makes the regions of an inspection again, with their contours")
            .WithDescription(
                "With the version and the threshold that decided then, as the heatmap. `heatmap` names the style of one that "
                    + "comes in the same answer."
            )
            .Produces<InspectionDrawing>();
        inspections
            .MapPut("{id}/verdict", PutVerdictAsync)
            .Audited("inspection.verdict")
            .WithName("PutVerdict")
            .WithSummary("Says whether the part of an inspection is good")
            .WithDescription("A later verdict replaces the one before. The audit trail keeps both.")
            .Produces<InspectionResponse>();
        inspections
            .MapDelete("{id}/verdict", DeleteVerdictAsync)
            .Audited("inspection.verdict.delete")
            .WithName("DeleteVerdict")
            .WithSummary("Takes a verdict back")
            .Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> ListAsync(
        [AsParameters] InspectionQuery query,
        InspectionStore store,
        Caller caller,
        CancellationToken cancellationToken,
        Choice<InspectionOrder>? order = null,
        int? limit = null,
        string? cursor = null
    )
    {
        if (query.Validate() is { } refused)
            return refused;
        if (!PageRequest.Parse(limit, cursor).Succeeded(out var page, out var problem))
            return problem;
        var sorted =
            order?.Value
            ?? ((query.MinScore ?? query.MaxScore) is null ? InspectionOrder.Newest : InspectionOrder.Highest);
        if (query.Category is null && sorted is (InspectionOrder.Highest or InspectionOrder.Lowest))
            return Problems.InvalidRequest("Name the category: scores of several categories do not compare.");
        return (await store.ListAsync(query, caller.Categories, sorted, page, cancellationToken)).ToResult(
            TypedResults.Ok
        );
    }

    private static async Task<IResult> GetAsync(
        string id,
        InspectionStore store,
        Caller caller,
        CancellationToken cancellationToken,
        string? category = null
    ) =>
        (await store.GetAsync(id, category, caller.Categories, cancellationToken)).ToResult(row =>
            TypedResults.Ok(InspectionResponse.Create(row))
        );

    private static async Task<IResult> DownloadAsync(
        string id,
        InspectionStore store,
        InspectionHeatmaps kept,
        ImageDecoder decoder,
        Caller caller,
        HttpResponse response,
        CancellationToken cancellationToken,
        string? category = null
    )
    {
        var found = await store.GetAsync(id, category, caller.Categories, cancellationToken);
        if (!found.Succeeded(out var row, out var problem))
            return problem;
        if (!(await kept.ReadImageAsync(row, cancellationToken)).Succeeded(out var bytes, out problem))
            return problem;
        response.Headers.CacheControl = Immutable;
        var mediaType =
            row.Layout is null && decoder.TryProbe(bytes, out var header, out _, DecodeOptions.Default)
                ? header.Format.MediaType()
                : "application/octet-stream";
        return new StoredFile(new MemoryStream(bytes), mediaType, row.Id, row.Sha256);
    }

    private static async Task<IResult> DrawAsync(
        string id,
        InspectionStore store,
        InspectionHeatmaps kept,
        Caller caller,
        CancellationToken cancellationToken,
        string? category = null,
        Choice<HeatmapStyle>? style = null
    )
    {
        var found = await store.GetAsync(id, category, caller.Categories, cancellationToken);
        if (!found.Succeeded(out var row, out var problem))
            return problem;
        var drawn = await kept.DrawAsync(row, style?.Value ?? HeatmapStyle.Overlay, contours: false, cancellationToken);
        return drawn.ToResult(drawing => TypedResults.Bytes(drawing.Heatmap!, "image/png"));
    }

    private static async Task<IResult> DrawRegionsAsync(
        string id,
        InspectionStore store,
        InspectionHeatmaps kept,
        Caller caller,
        CancellationToken cancellationToken,
        string? category = null,
        Choice<HeatmapStyle>? heatmap = null
    )
    {
        var found = await store.GetAsync(id, category, caller.Categories, cancellationToken);
        return found.Succeeded(out var row, out var problem)
            ? (await kept.DrawAsync(row, heatmap?.Value, contours: true, cancellationToken)).ToResult(TypedResults.Ok)
            : problem;
    }

    private static async Task<IResult> PutVerdictAsync(
        string id,
        VerdictRequest verdict,
        InspectionStore store,
        Caller caller,
        TimeProvider time,
        HttpContext context,
        CancellationToken cancellationToken,
        string? category = null
    )
    {
        if (verdict is { Defect: not null, Verdict: not Verdict.Defective })
            return Problems.InvalidRequest("defect is the kind of defect of a defective part.");
        if (
            verdict.Defect is { } defect
            && (defect.Trim() is not { Length: > 0 and <= StoredInspection.MaxDefect } || defect.Any(char.IsControl))
        )
            return Problems.InvalidRequest(
                $"defect must have 1 to {StoredInspection.MaxDefect} characters and no control characters."
            );
        var found = await store.GetAsync(id, category, caller.Categories, cancellationToken);
        if (!found.Succeeded(out var row, out var problem))
            return problem;
        context.AddAuditDetail(verdict, row.Category);
        var now = time.GetUtcNow().UtcDateTime;
        now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
        await store.SetVerdictAsync(
            row.Key,
            verdict.Verdict,
            verdict.Defect?.Trim(),
            caller.Name,
            now,
            cancellationToken
        );
        return TypedResults.Ok(
            InspectionResponse.Create(
                row with
                {
                    Verdict = verdict.Verdict,
                    Defect = verdict.Defect?.Trim(),
                    VerdictBy = caller.Name,
                    VerdictAt = now,
                }
            )
        );
    }

    private static async Task<IResult> DeleteVerdictAsync(
        string id,
        InspectionStore store,
        Caller caller,
        HttpContext context,
        CancellationToken cancellationToken,
        string? category = null
    )
    {
        var found = await store.GetAsync(id, category, caller.Categories, cancellationToken);
        if (!found.Succeeded(out var row, out var problem))
            return problem;
        context.AddAuditDetail(new { verdict = (string?)null }, row.Category);
        await store.SetVerdictAsync(row.Key, null, null, null, null, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> DeleteAsync(
        InspectionStore store,
        InspectionLedger ledger,
        HttpContext context,
        CancellationToken cancellationToken,
        [FromQuery] string? category = null,
        [FromQuery] string? part = null
    )
    {
        if (string.IsNullOrEmpty(category) || string.IsNullOrEmpty(part))
            return Problems.InvalidRequest("Name the category and the part.");
        // A filter of the list that were ignored here would delete more than was asked for.
        if (
            context.Request.Query.Keys.FirstOrDefault(key => key.ToUpperInvariant() is not ("CATEGORY" or "PART")) is
            { } other
        )
            return Problems.InvalidRequest(
                $"'{RequestIdentity.Clean(other)}' cannot choose what is deleted; name the category and the part only."
            );
        if (!CategoryName.IsValid(category))
            return Problems.InvalidName(category);
        context.AddAuditDetail(new { part = RequestIdentity.Clean(part) }, category);
        // What was scored before this request is deleted too.
        await ledger.FlushAsync(cancellationToken);
        return TypedResults.Ok(
            new DeletedInspections(await store.DeleteAsync(category, part, long.MaxValue, cancellationToken))
        );
    }
}
