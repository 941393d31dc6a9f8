using PaDiM.Service.Access;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Models;

namespace PaDiM.Service.Thresholds;

/// <summary>
/// <c>/v1/categories/{category}/threshold/scores</c>: the scores that previews of a threshold count, image by image.
/// </summary>
internal static class ThresholdScoreEndpoints
{
    public static void MapThresholdScores(this RouteGroupBuilder category) =>
        category
            .MapGet("threshold/scores", ListAsync)
            .WithTags("Evaluation")
            .WithName("ListThresholdScores")
            .WithSummary("Lists the scores that a threshold divides, highest first")
            .WithDescription(
                "The leave-one-out scores of the images that the active model was fitted to, and the scores of its "
                    + "newest evaluation for all others: the images that `threshold/preview` counts."
            )
            .Produces<Page<ThresholdScore>>();

    private static async Task<IResult> ListAsync(
        string category,
        Caller caller,
        CategoryStore categories,
        ModelRegistry registry,
        KnownPartStore parts,
        CancellationToken cancellationToken,
        int? limit = null,
        string? cursor = null
    )
    {
        if (!PageRequest.Parse(limit, cursor).Succeeded(out var page, out var problem))
            return problem;
        if (!(await categories.GetAsync(category, cancellationToken)).Succeeded(out _, out problem))
            return problem;
        var source = await parts.GetSourceAsync(category, cancellationToken);
        if (!caller.MaySee(source))
            return Problems.CategoryForbidden(source);
        if (!(await registry.AcquireAsync(category, null, cancellationToken)).Succeeded(out var model, out problem))
            return problem;
        return (await parts.ListScoresAsync(source, model, page, cancellationToken)).ToResult(TypedResults.Ok);
    }
}

/// <summary>The score of an image, as previews of a threshold count it.</summary>
/// <param name="ImageId">Identifier of the image; null if it was deleted after the fit.</param>
/// <param name="Label"><c>normal</c> or <c>anomalous</c>.</param>
/// <param name="Defect">Kind of defect.</param>
/// <param name="Score">The score.</param>
/// <param name="LeaveOneOut">Whether the model was fitted to the image, so that this is its leave-one-out score.</param>
/// <param name="Counts">Whether the calibrated threshold rests on the score: that of a training image without a
/// near-duplicate.</param>
internal sealed record ThresholdScore(
    string? ImageId,
    ImageLabel Label,
    string? Defect,
    double Score,
    bool LeaveOneOut,
    bool Counts
)
{
    /// <summary>Gets the score of an image that a version was not fitted to.</summary>
    public static ThresholdScore Of(StoredScore evaluated) =>
        new(evaluated.ImageId, evaluated.Label, evaluated.Defect, evaluated.Score, LeaveOneOut: false, Counts: false);
}
