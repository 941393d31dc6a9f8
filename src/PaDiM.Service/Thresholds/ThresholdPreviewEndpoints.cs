using System.Text.Json;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Evaluations;
using PaDiM.Service.Models;

namespace PaDiM.Service.Thresholds;

/// <summary>
/// <c>/v1/categories/{category}/threshold/preview</c>: the effect of a threshold change before it is made.
/// </summary>
internal static class ThresholdPreviewEndpoints
{
    public static void MapThresholdPreview(this RouteGroupBuilder category) =>
        category
            .MapPost("threshold/preview", PreviewAsync)
            .WithTags("Evaluation")
            .WithName("PreviewThreshold")
            .WithSummary("Previews how many decisions a new threshold would change")
            .WithDescription(
                "Accepts the same body as `PATCH .../threshold` and changes nothing. Normal images count "
                    + "with the leave-one-out scores of the active model. Anomalous images, and normal ones that "
                    + "the model was not fitted to, count with the scores of its newest evaluation."
            )
            .Accepts<ThresholdRequest>("application/json")
            .Produces<ThresholdPreview>();

    private static async Task<IResult> PreviewAsync(
        string category,
        JsonElement body,
        CategoryStore categories,
        ModelRegistry registry,
        EvaluationStore store,
        CancellationToken cancellationToken
    )
    {
        if (!ThresholdRequest.Parse(body).Succeeded(out var change, out var problem))
            return problem;
        if (!(await categories.GetAsync(category, cancellationToken)).Succeeded(out var found, out problem))
            return problem;
        if (ThresholdRequest.CheckAgainst(found.ReviewRate, change.FalseRejectRate) is { } refused)
            return refused;
        if (!(await registry.AcquireAsync(category, null, cancellationToken)).Succeeded(out var model, out problem))
            return problem;
        if (change.CheckAgainst(model) is { } ambiguous)
            return ambiguous;
        var evaluation = await store.FindNewestAsync(category, model.Version, cancellationToken);
        var calibration = model.Scorer.Model.Calibration;
        var proposed = change.Threshold ?? calibration.GetThreshold(change.FalseRejectRate ?? model.FalseRejectRate);
        var measured = evaluation
            ?.Scores.Where(score => !score.LeaveOneOut)
            .ToLookup(score => score.Label, score => score.Score);
        return TypedResults.Ok(
            new ThresholdPreview(
                model.Version,
                model.Threshold,
                proposed,
                calibration.GetFalseRejectRate(proposed),
                evaluation?.Id,
                Flips.Between(
                    model.Threshold,
                    proposed,
                    [.. calibration.Scores, .. measured?[ImageLabel.Normal] ?? []]
                ),
                Flips.Between(model.Threshold, proposed, [.. measured?[ImageLabel.Anomalous] ?? []])
            )
        );
    }
}

/// <summary>The effect of a threshold change.</summary>
/// <param name="ModelVersion">The version to which the values refer: the active one, or its stand-in while its file is
/// damaged.</param>
/// <param name="Threshold">The threshold in force.</param>
/// <param name="ProposedThreshold">The proposed threshold.</param>
/// <param name="ExpectedFalseRejectRate">Upper bound of the expected share of rejected good parts at the proposed
/// threshold: (1 + number of leave-one-out scores above it) / (n + 1).</param>
/// <param name="EvaluationId">The evaluation whose scores are used; null if the version was never evaluated, in which
/// case no anomalous image counts.</param>
/// <param name="Normal">Normal images.</param>
/// <param name="Anomalous">Anomalous images.</param>
internal sealed record ThresholdPreview(
    int ModelVersion,
    double Threshold,
    double ProposedThreshold,
    double ExpectedFalseRejectRate,
    string? EvaluationId,
    Flips Normal,
    Flips Anomalous
);

/// <summary>Decisions before and after the change.</summary>
/// <param name="Images">Number of images with a score.</param>
/// <param name="AnomalousNow">Number of images at or above the threshold in force.</param>
/// <param name="AnomalousThen">Number of images at or above the proposed threshold.</param>
/// <param name="Flipped">Number of images whose decision changes.</param>
internal sealed record Flips(int Images, int AnomalousNow, int AnomalousThen, int Flipped)
{
    public static Flips Between(double now, double then, double[] scores) =>
        new(
            scores.Length,
            scores.Count(score => score >= now),
            scores.Count(score => score >= then),
            scores.Count(score => score >= now != score >= then)
        );
}
