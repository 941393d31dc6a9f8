using System.Globalization;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Access;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Evaluations;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
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
        EvaluationStore evaluations,
        IDbContextFactory<PadimDbContext> contexts,
        CancellationToken cancellationToken,
        int? limit = null,
        string? cursor = null
    )
    {
        if (!PageRequest.Parse(limit, cursor).Succeeded(out var page, out var problem))
            return problem;
        if (!(await categories.GetAsync(category, cancellationToken)).Succeeded(out _, out problem))
            return problem;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var source = await db.GetImageSourceAsync(category, cancellationToken);
        if (!caller.MaySee(source))
            return Problems.CategoryForbidden(source);
        if (!(await registry.AcquireAsync(category, null, cancellationToken)).Succeeded(out var model, out problem))
            return problem;
        var images = await db
            .Images.Where(image => image.Category == source)
            .Select(image => new { image.Sha256, image.Id })
            .ToDictionaryAsync(image => image.Sha256, image => image.Id, StringComparer.Ordinal, cancellationToken);
        var evaluation = await evaluations.FindNewestAsync(category, model.Version, cancellationToken);
        var from = int.TryParse(page.After, NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            ? last + 1
            : 0;
        // Images with equal scores keep their order from page to page.
        var rows = ListTraining(model, images)
            .Concat(ListEvaluated(evaluation))
            .OrderByDescending(row => row.Score)
            .Select((row, i) => (row, i))
            .Skip(from)
            .Take(page.Limit + 1)
            .ToArray();
        return TypedResults.Ok(page.Cut(rows, row => row.i.ToString(CultureInfo.InvariantCulture), row => row.row));
    }

    private static IEnumerable<ThresholdScore> ListTraining(
        CategoryModel model,
        IReadOnlyDictionary<string, string> images
    )
    {
        var fitted = model.Scorer.Model;
        var uncounted = fitted.Calibration.Uncounted.ToHashSet();
        return fitted.TrainingImages.Select(
            (sha256, i) =>
                new ThresholdScore(
                    images.GetValueOrDefault(sha256),
                    ImageLabel.Normal,
                    Defect: null,
                    fitted.Calibration.Scores[i],
                    LeaveOneOut: true,
                    Counts: !uncounted.Contains(i)
                )
        );
    }

    private static IEnumerable<ThresholdScore> ListEvaluated(StoredEvaluation? evaluation) =>
        (evaluation?.Scores ?? [])
            .Where(score => !score.LeaveOneOut)
            .OrderBy(score => score.ImageId, StringComparer.Ordinal)
            .Select(score => new ThresholdScore(
                score.ImageId,
                score.Label,
                score.Defect,
                score.Score,
                LeaveOneOut: false,
                Counts: false
            ));
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
);
