using System.Globalization;
using PaDiM.Core.Persistence;
using PaDiM.Imaging;
using PaDiM.Service.Access;
using PaDiM.Service.Admission;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Roles;

namespace PaDiM.Service.Scoring;

/// <summary>
/// <c>/v1/categories/{category}/score</c>: scores one image or many, as JSON, as a picture or as numbers.
/// </summary>
internal static class ScoreEndpoints
{
    /// <summary>Enables deadlines for an operation that scores. Those that are missed count as failures.</summary>
    public static TBuilder WithScoreDeadlines<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithDeadlines(
            (context, problem) => context.RequestServices.GetRequiredService<ScoreMetrics>().RecordFailure(problem)
        );

    public static void MapScoreEndpoints(this RouteGroupBuilder category)
    {
        var score = category
            .MapGroup("score")
            .ReadsUploads()
            .Needs(AccessScope.Score)
            .OnlyWhereScored()
            .WithTags("Scoring")
            .WithScoreDeadlines();
        score
            .MapPost("", ScoreAsync)
            .WithName("ScoreImage")
            .WithSummary("Scores one image")
            .WithDescription(
                "Send the image as the body or as one multipart file; the text fields `partId`, `stationId`, `lotId` "
                    + "and `inspectionId` of a form name what X-Part-Id, X-Station-Id, X-Lot-Id and X-Inspection-Id "
                    + "name. With `width`, `height` and `format`, "
                    + "the file is raw pixels (application/octet-stream), which skips decoding: rows from the top, "
                    + "no padding. `Accept` selects JSON, a "
                    + "picture (image/png, image/jpeg or image/webp: the overlay, or what `heatmap` names) or the "
                    + "float32 map (application/x-npy); all but JSON carry the result in X-Padim-* headers. Categories "
                    + "that take their images from this one (imagesOf) score the image too: the answer is the result "
                    + "that decides, and `regionsOfInterest` has all of them. With `model`, that version scores alone."
            )
            .Accepts<IFormFile>(ImageMediaTypes.Bodies[0], [.. ImageMediaTypes.Bodies[1..], FormReader.MediaType])
            .Produces<ScoreResponse>(
                StatusCodes.Status200OK,
                ScoreAnswers.Json,
                ScoreAnswers.Png,
                ScoreAnswers.Jpeg,
                ScoreAnswers.Webp,
                NumpyFile.MediaType
            );
        score
            .MapPost("batch", ScoreBatchAsync)
            .WithName("ScoreBatch")
            .WithSummary("Scores many images")
            .WithDescription(
                "Send any number of files as multipart/form-data; the results have the same order. An "
                    + "invalid file gives an error entry among the results. With `width`, `height` and `format`, "
                    + "every file is raw pixels of that size. X-Inspection-Id is followed by `-1`, `-2` and so on for the "
                    + "files; text fields (`stationId`, `lotId`) count for the files behind them."
            )
            .Accepts<IFormFileCollection>("multipart/form-data")
            .Produces<BatchResponse>();
    }

    private static async Task<IResult> ScoreAsync(
        string category,
        HttpRequest request,
        HttpResponse response,
        [AsParameters] ScoreServices services,
        [AsParameters] ScoreQuery query,
        [AsParameters] PartHeaders part,
        CancellationToken cancellationToken
    )
    {
        var available = ScoreAnswers.GetAvailable(query.Heatmap?.Value);
        if (ScoreAnswers.Choose(request, available) is not { } mediaType)
            return Problems.NotAcceptable($"{string.Join(", ", available.SkipLast(1))} and {available[^1]}");
        if (part.Validate() is { } badId)
            return badId;
        if (!ParseLayout(request, query, services).Succeeded(out var layout, out var problem))
            return problem;
        var acquired = await services.Models.AcquireAsync(category, query.Model, cancellationToken);
        if (!acquired.Succeeded(out var models, out problem))
            return problem;
        // Before the body is read; the slot itself is taken when the last byte is here: slow senders hold none.
        if (services.Admission.IsFull)
            return services.Admission.Refuse();
        var read = await services.Reader.ReadOneAsync(request, layout, cancellationToken);
        if (!read.Succeeded(out var file, out problem))
            return problem;

        if (!part.Identify(request.HttpContext, file.FileName).Succeeded(out var identity, out problem))
            return problem;
        var scores = await services.Scoring.ScoreAsync(
            models,
            file with
            {
                SignificantBits = query.SignificantBits,
            },
            query.GetDetails(mediaType),
            Priority.Line,
            identity,
            cancellationToken
        );
        if (!scores.Succeeded(out var scored, out problem))
            return problem;
        var result = FormWarnings.AddTo(scored.Response, request.HttpContext);
        if (result.InspectionId is { } id)
            response.Headers[RequestIdentity.InspectionHeader] = id;
        if (mediaType == ScoreAnswers.Json)
            return TypedResults.Ok(result);
        WriteHeaders(result, response.Headers);
        return TypedResults.Bytes(
            ScoreAnswers.IsPicture(mediaType) ? result.Heatmap! : NumpyFile.Encode(scored.Map),
            mediaType
        );
    }

    private static async Task<IResult> ScoreBatchAsync(
        string category,
        HttpRequest request,
        [AsParameters] ScoreServices services,
        [AsParameters] ScoreQuery query,
        [AsParameters] BatchHeaders names,
        CancellationToken cancellationToken
    )
    {
        if (names.Validate() is { } badId)
            return badId;
        if (ImageRequest.CheckContentType(request) is { } wrongType)
            return wrongType;
        if (!ParseLayout(request, query, services).Succeeded(out var layout, out var problem))
            return problem;
        var acquired = await services.Models.AcquireAsync(category, query.Model, cancellationToken);
        if (!acquired.Succeeded(out var models, out problem))
            return problem;
        if (services.Admission.IsFull)
            return services.Admission.Refuse();
        var files = services
            .Reader.ReadAllAsync(request, layout, cancellationToken)
            .Select(file => file with { SignificantBits = query.SignificantBits });
        var items = await services.Batches.ScoreAsync(
            models,
            file => names.Identify(request.HttpContext, file.FileName),
            files,
            query.GetDetails(ScoreAnswers.Json),
            cancellationToken
        );
        return items.ToResult(results =>
            results.Length == 0
                ? ImageRequest.CreateNoImagesProblem(request)
                : TypedResults.Ok(
                    new BatchResponse([
                        // Text fields may follow files that are already scored.
                        .. results.Select(item =>
                            item.Result is null
                                ? item
                                : item with
                                {
                                    Result = FormWarnings.AddTo(item.Result, request.HttpContext),
                                }
                        ),
                    ])
                )
        );
    }

    private static Outcome<PixelLayout?> ParseLayout(HttpRequest request, ScoreQuery query, ScoreServices services) =>
        PixelQuery.Parse(
            request,
            query.Width,
            query.Height,
            query.Format?.Value,
            query.SignificantBits,
            services.Decoder
        );

    private static void WriteHeaders(ScoreResponse result, IHeaderDictionary headers)
    {
        headers[ResultHeaders.Category] = result.Category;
        headers[ResultHeaders.ModelVersion] = result.ModelVersion.ToString(CultureInfo.InvariantCulture);
        headers[ResultHeaders.Fallback] = result.Fallback ? "true" : "false";
        headers[ResultHeaders.Score] = result.Score.ToString("r", CultureInfo.InvariantCulture);
        headers[ResultHeaders.Threshold] = result.Threshold.ToString("r", CultureInfo.InvariantCulture);
        if (result.ScoreRatio is { } ratio)
            headers[ResultHeaders.ScoreRatio] = ratio.ToString("r", CultureInfo.InvariantCulture);
        headers[ResultHeaders.DefectAreaPercent] = result.DefectAreaPercent.ToString("r", CultureInfo.InvariantCulture);
        headers[ResultHeaders.PValue] = result.PValue.ToString("r", CultureInfo.InvariantCulture);
        headers[ResultHeaders.Decision] = result.Decision.ToString().ToLowerInvariant();
        if (result.Warnings.Count > 0)
            headers[ResultHeaders.Warnings] = string.Join(
                ", ",
                result.Warnings.Select(warning => warning.Code).Distinct()
            );
    }
}
