using System.Globalization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;
using PaDiM.Core.Persistence;
using PaDiM.Imaging;
using PaDiM.Imaging.Heatmaps;
using PaDiM.Service.Access;
using PaDiM.Service.Admission;
using PaDiM.Service.Http;
using PaDiM.Service.Images;

namespace PaDiM.Service.Scoring;

/// <summary>
/// <c>/v1/categories/{category}/score</c>: scores one image or many, as JSON, as a picture or as numbers.
/// </summary>
internal static class ScoreEndpoints
{
    private const string Json = "application/json",
        Png = "image/png";

    public static void MapScoreEndpoints(this RouteGroupBuilder category)
    {
        var score = category
            .MapGroup("score")
            .ReadsUploads()
            .Needs(AccessScope.Score)
            .WithTags("Scoring")
            .WithDeadlines(
                (context, problem) => context.RequestServices.GetRequiredService<ScoreMetrics>().RecordFailure(problem)
            );
        score
            .MapPost("", ScoreAsync)
            .WithName("ScoreImage")
            .WithSummary("Scores one image")
            .WithDescription(
                "Send the image as the body or as one multipart file. With `width`, `height` and `format`, "
                    + "the file is raw pixels (application/octet-stream), which skips decoding: rows from the top, "
                    + "no padding, exactly width x height x bytes per pixel. `Accept` selects JSON, the overlay "
                    + "(image/png) or the float32 map (application/x-npy); the last two carry the result in "
                    + "X-Padim-* headers."
            )
            .Accepts<IFormFile>(
                Png,
                "image/jpeg",
                "image/bmp",
                "image/tiff",
                "image/webp",
                "image/x-portable-anymap",
                "image/*",
                "application/octet-stream",
                "multipart/form-data"
            )
            .Produces<ScoreResponse>(StatusCodes.Status200OK, Json, Png, NumpyFile.MediaType)
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
            .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable)
            .ProducesProblem(StatusCodes.Status504GatewayTimeout);
        score
            .MapPost("batch", ScoreBatchAsync)
            .WithName("ScoreBatch")
            .WithSummary("Scores many images")
            .WithDescription(
                "Send any number of files as multipart/form-data; the results have the same order. An "
                    + "invalid file gives an error entry among the results. With `width`, `height` and `format`, "
                    + "every file is raw pixels of that size."
            )
            .Accepts<IFormFileCollection>("multipart/form-data")
            .Produces<BatchResponse>()
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable)
            .ProducesProblem(StatusCodes.Status504GatewayTimeout);
    }

    private static async Task<IResult> ScoreAsync(
        string category,
        HttpRequest request,
        HttpResponse response,
        [AsParameters] ScoreServices services,
        [AsParameters] ScoreQuery query,
        [FromHeader(Name = RequestIdentity.PartHeader)] string? part,
        CancellationToken cancellationToken
    )
    {
        if (Negotiate(request) is not { } mediaType)
            return Problems.NotAcceptable($"{Json}, {Png} and {NumpyFile.MediaType}");
        if (!ParseLayout(request, query, services).Succeeded(out var layout, out var problem))
            return problem;
        var acquired = await services.Models.AcquireAsync(category, query.Model, cancellationToken);
        if (!acquired.Succeeded(out var snapshot, out problem))
            return problem;
        // Before the body is read; the slot itself is taken when the last byte is here: slow senders hold none.
        if (services.Admission.IsFull)
            return services.Admission.Refuse();
        var read = await services.Reader.ReadOneAsync(request, layout, cancellationToken);
        if (!read.Succeeded(out var file, out problem))
            return problem;

        var scores = await services.Scoring.ScoreAsync(
            snapshot,
            file,
            query.Heatmap?.Value ?? (mediaType == Png ? HeatmapStyle.Overlay : null),
            Priority.Line,
            RequestIdentity.Clean(part ?? file.FileName),
            cancellationToken
        );
        if (!scores.Succeeded(out var scored, out problem))
            return problem;
        if (mediaType == Json)
            return TypedResults.Ok(scored.Response);
        WriteHeaders(scored.Response, response.Headers);
        return TypedResults.Bytes(
            mediaType == Png ? scored.Response.Heatmap! : NumpyFile.Encode(scored.Map),
            mediaType
        );
    }

    private static async Task<IResult> ScoreBatchAsync(
        string category,
        HttpRequest request,
        [AsParameters] ScoreServices services,
        [AsParameters] ScoreQuery query,
        CancellationToken cancellationToken
    )
    {
        if (ImageRequest.CheckContentType(request) is { } wrongType)
            return wrongType;
        if (!ParseLayout(request, query, services).Succeeded(out var layout, out var problem))
            return problem;
        var acquired = await services.Models.AcquireAsync(category, query.Model, cancellationToken);
        if (!acquired.Succeeded(out var snapshot, out problem))
            return problem;
        if (services.Admission.IsFull)
            return services.Admission.Refuse();
        var files = services.Reader.ReadAllAsync(request, layout, cancellationToken);
        var items = await services.Batches.ScoreAsync(snapshot, files, query.Heatmap?.Value, cancellationToken);
        return items.ToResult(results => TypedResults.Ok(new BatchResponse(results)));
    }

    private static Outcome<PixelLayout?> ParseLayout(HttpRequest request, ScoreQuery query, ScoreServices services) =>
        PixelQuery.Parse(request, query.Width, query.Height, query.Format?.Value, services.Decoder);

    /// <summary>Gets the media type to answer with: the preferred one that is available, or null.</summary>
    private static string? Negotiate(HttpRequest request)
    {
        var accepted = request.GetTypedHeaders().Accept;
        if (accepted is not { Count: > 0 })
            return Json;
        foreach (
            var range in accepted.Where(range => range.Quality is not 0).OrderByDescending(range => range.Quality ?? 1)
        )
        foreach (var available in new[] { Json, Png, NumpyFile.MediaType })
            // Without parameters: clients that ask for application/json;charset=utf-8 get JSON.
            if (new MediaTypeHeaderValue(available).IsSubsetOf(new MediaTypeHeaderValue(range.MediaType)))
                return available;
        return null;
    }

    private static void WriteHeaders(ScoreResponse result, IHeaderDictionary headers)
    {
        headers[ResultHeaders.Category] = result.Category;
        headers[ResultHeaders.ModelVersion] = result.ModelVersion.ToString(CultureInfo.InvariantCulture);
        headers[ResultHeaders.Fallback] = result.Fallback ? "true" : "false";
        headers[ResultHeaders.Score] = result.Score.ToString("r", CultureInfo.InvariantCulture);
        headers[ResultHeaders.Threshold] = result.Threshold.ToString("r", CultureInfo.InvariantCulture);
        headers[ResultHeaders.PValue] = result.PValue.ToString("r", CultureInfo.InvariantCulture);
        headers[ResultHeaders.Decision] = result.Decision.ToString().ToLowerInvariant();
    }
}
