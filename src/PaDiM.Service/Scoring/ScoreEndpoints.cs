using System.Globalization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;
using PaDiM.Service.Access;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Models;

namespace PaDiM.Service.Scoring;

/// <summary><c>/v1/categories/{category}/score</c>: one image or many, as JSON, as a picture or as numbers.</summary>
internal static class ScoreEndpoints
{
    private const string Json = "application/json",
        Png = "image/png";

    public static void MapScoreEndpoints(this RouteGroupBuilder category)
    {
        var score = category
            .MapGroup("score")
            .Needs(AccessScope.Score)
            .WithTags("Scoring")
            .WithDeadlines(
                (context, problem) => context.RequestServices.GetRequiredService<ScoreMetrics>().Failed(problem)
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
                "image/*",
                "application/octet-stream",
                "multipart/form-data"
            )
            .Produces<ScoreResponse>(StatusCodes.Status200OK, Json, Png, NumpyFormat.MediaType)
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
        ModelRegistry registry,
        ImageRequest reader,
        ImageDecoder decoder,
        ScoreQueue queue,
        ScoreService scoring,
        CancellationToken cancellationToken,
        int? model = null,
        Choice<HeatmapStyle>? heatmap = null,
        int? width = null,
        int? height = null,
        Choice<PixelFormat>? format = null,
        [FromHeader(Name = RequestIdentity.PartHeader)] string? part = null
    )
    {
        if (Negotiate(request) is not { } mediaType)
            return Problems.NotAcceptable($"{Json}, {Png} and {NumpyFormat.MediaType}");
        if (
            !PixelQuery.Parse(request, width, height, format?.Value, decoder).Succeeded(out var layout, out var problem)
        )
            return problem;
        if (!(await registry.AcquireAsync(category, model, cancellationToken)).Succeeded(out var snapshot, out problem))
            return problem;
        if (queue.IsFull)
            return queue.Refuse();
        if (!(await reader.ReadOneAsync(request, layout, cancellationToken)).Succeeded(out var file, out problem))
            return problem;
        using var place = queue.TryEnter();
        if (place is null)
            return queue.Refuse();
        var style = heatmap?.Value ?? (mediaType == Png ? HeatmapStyle.Overlay : null);
        if (
            !(
                await scoring.ScoreAsync(
                    snapshot,
                    file,
                    style,
                    ScoreLane.Line,
                    RequestIdentity.Clean(part ?? file.FileName),
                    cancellationToken
                )
            ).Succeeded(out var scored, out problem)
        )
            return problem;
        if (mediaType == Json)
            return TypedResults.Ok(scored.Response);
        Describe(scored.Response, response.Headers);
        return TypedResults.Bytes(
            mediaType == Png ? scored.Response.Heatmap! : NumpyFormat.Encode(scored.Map),
            mediaType
        );
    }

    private static async Task<IResult> ScoreBatchAsync(
        string category,
        HttpRequest request,
        ModelRegistry registry,
        ImageRequest reader,
        ImageDecoder decoder,
        ScoreQueue queue,
        ScoreService scoring,
        IOptions<ScoringOptions> options,
        IOptions<ImageOptions> limits,
        CancellationToken cancellationToken,
        int? model = null,
        Choice<HeatmapStyle>? heatmap = null,
        int? width = null,
        int? height = null,
        Choice<PixelFormat>? format = null
    )
    {
        if (ImageRequest.CheckContentType(request) is { } wrongType)
            return wrongType;
        if (
            !PixelQuery.Parse(request, width, height, format?.Value, decoder).Succeeded(out var layout, out var problem)
        )
            return problem;
        if (!(await registry.AcquireAsync(category, model, cancellationToken)).Succeeded(out var snapshot, out problem))
            return problem;
        if (queue.IsFull)
            return queue.Refuse();
        ImageRequest.SetLimit(request, limits.Value.MaxUploadBytes);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var results = new List<Task<BatchItem>>();
        var running = new Queue<Task>();
        try
        {
            await foreach (var file in reader.ReadAllAsync(request, layout, cancellationToken))
            {
                if (ImageRequest.CheckField(file) is { } wrongField)
                    return wrongField;
                if (results.Count == options.Value.MaxBatchFiles)
                    return Problems.TooManyFiles(options.Value.MaxBatchFiles);
                // As many images are under way as fit into one pass of the backbone; the others still lie in the
                // request.
                if (running.Count == options.Value.MaxBatchSize)
                    await running.Dequeue();
                var item = ScoreFileAsync(queue, scoring, snapshot, file, heatmap?.Value, stop.Token);
                results.Add(item);
                running.Enqueue(item);
            }
            return results.Count == 0
                ? Problems.NoImages()
                : TypedResults.Ok(new BatchResponse(await Task.WhenAll(results)));
        }
        finally
        {
            // A form that breaks off leaves no work behind.
            if (results.Exists(item => !item.IsCompleted))
            {
                await stop.CancelAsync();
                await Task.WhenAll(results).ContinueWith(_ => { }, TaskScheduler.Default);
            }
        }
    }

    private static async Task<BatchItem> ScoreFileAsync(
        ScoreQueue queue,
        ScoreService scoring,
        CategoryModel snapshot,
        RequestFile file,
        HeatmapStyle? heatmap,
        CancellationToken cancellationToken
    )
    {
        await Task.Yield();
        if (file.Fault is { } fault)
            return new BatchItem(file.FileName, null, new BatchError(fault.Code, fault.Detail));
        using var place = await queue.EnterAsync(cancellationToken);
        return (
            await scoring.ScoreAsync(
                snapshot,
                file,
                heatmap,
                ScoreLane.Batch,
                RequestIdentity.Clean(file.FileName),
                cancellationToken
            )
        ).Succeeded(out var scored, out var problem)
            ? new BatchItem(file.FileName, scored.Response, null)
            : new BatchItem(file.FileName, null, new BatchError(problem.Code, problem.Detail));
    }

    /// <summary>The media type to answer with: the best-liked one that can be made.</summary>
    private static string? Negotiate(HttpRequest request)
    {
        var accepted = request.GetTypedHeaders().Accept;
        if (accepted is not { Count: > 0 })
            return Json;
        foreach (
            var range in accepted.Where(range => range.Quality is not 0).OrderByDescending(range => range.Quality ?? 1)
        )
        foreach (var made in new[] { Json, Png, NumpyFormat.MediaType })
            if (new MediaTypeHeaderValue(made).IsSubsetOf(range))
                return made;
        return null;
    }

    private static void Describe(ScoreResponse result, IHeaderDictionary headers)
    {
        headers["X-Padim-Category"] = result.Category;
        headers["X-Padim-Model-Version"] = result.ModelVersion.ToString(CultureInfo.InvariantCulture);
        headers["X-Padim-Fallback"] = result.Fallback ? "true" : "false";
        headers["X-Padim-Score"] = result.Score.ToString("r", CultureInfo.InvariantCulture);
        headers["X-Padim-Threshold"] = result.Threshold.ToString("r", CultureInfo.InvariantCulture);
        headers["X-Padim-P-Value"] = result.PValue.ToString("r", CultureInfo.InvariantCulture);
        headers["X-Padim-Decision"] = result.Decision.ToString().ToLowerInvariant();
    }
}
