using PaDiM.Imaging.Heatmaps;
using PaDiM.Service.Admission;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Models;
using PaDiM.Service.Roles;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.LookoutForVision;

/// <summary>
/// <c>/2020-11-20/projects/{category}/models/{version}/detect</c>: scores an image as <c>/score</c> does.
/// </summary>
internal static class DetectEndpoints
{
    private static readonly ScoreDetails Details = new(HeatmapStyle.Mask, PictureFormat.Png, Contours: false);

    public static void MapDetect(this RouteGroupBuilder api) =>
        api.MapPost("projects/{category}/models/{version}/detect", DetectAsync)
            .AddEndpointFilter(CategoryName.Filter)
            .ReadsUploads()
            .OnlyWhereScored()
            .WithScoreDeadlines();

    private static async Task<IResult> DetectAsync(
        string category,
        string version,
        HttpContext context,
        PartRegistry registry,
        ImageAdmission admission,
        ImageRequest reader,
        ScoreService scoring,
        [AsParameters] PartHeaders part,
        CancellationToken cancellationToken
    )
    {
        if (part.Validate() is { } badId)
            return badId;
        if (!VersionName.Parse(category, version, ProjectEndpoints.Latest).Succeeded(out var number, out var problem))
            return problem;
        var acquired = await registry.AcquireAsync(category, number, cancellationToken);
        if (!acquired.Succeeded(out var models, out problem))
            return problem;
        if (admission.IsFull)
            return admission.Refuse();
        if (
            !(await ReadAsync(context, reader, cancellationToken)).Succeeded(out var file, out problem)
            || !part.Identify(context, file.FileName).Succeeded(out var identity, out problem)
        )
            return problem;
        var scored = await scoring.ScoreAsync(models, file, Details, Priority.Line, identity, cancellationToken);
        return scored.ToResult(found =>
        {
            if (found.Response.InspectionId is { } id)
                context.Response.Headers[RequestIdentity.InspectionHeader] = id;
            return LookoutJson.Answer(new DetectAnomaliesResponse(DetectAnomalyResult.From(found.Response)));
        });
    }

    /// <summary>Reads the image, unless it was read to check its signature.</summary>
    private static async Task<Outcome<RequestFile>> ReadAsync(
        HttpContext context,
        ImageRequest reader,
        CancellationToken cancellationToken
    ) =>
        SignedBody.Find(context) is not { } body
            ? await reader.ReadOneAsync(context.Request, layout: null, cancellationToken)
        : ImageRequest.CheckContentType(context.Request) is { } wrongType ? wrongType
        : body.ToFile();
}
