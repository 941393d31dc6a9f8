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
/// <c>/v1/categories/{category}/threshold/proposal</c>: what thresholds would do with the parts that are known.
/// </summary>
internal static class ThresholdProposalEndpoints
{
    /// <summary>The latest inspections with a verdict that count.</summary>
    private const int MaxReviewed = 100_000;

    public static void MapThresholdProposal(this RouteGroupBuilder category) =>
        category
            .MapGet("threshold/proposal", ProposeAsync)
            .Needs(AccessScope.Review)
            .WithTags("Evaluation")
            .WithName("ProposeThreshold")
            .WithSummary("Proposes thresholds from known defects and known good parts")
            .WithDescription(
                "Changes nothing. Known parts are the images of the active model with their leave-one-out scores, the "
                    + "images of its newest evaluation, and inspections that it decided and that have a verdict: only scores of "
                    + "one version are comparable. Intervals are exact (Clopper-Pearson). The same parts give the same answer."
            )
            .Produces<ThresholdProposal>();

    private static async Task<IResult> ProposeAsync(
        string category,
        Caller caller,
        CategoryStore categories,
        ModelRegistry registry,
        EvaluationStore evaluations,
        IDbContextFactory<PadimDbContext> contexts,
        IDatabaseEngine engine,
        CancellationToken cancellationToken,
        double? threshold = null
    )
    {
        if (threshold is { } wanted && !(double.IsFinite(wanted) && wanted >= 0))
            return Problems.InvalidRequest("threshold must be a number of at least 0.");
        if (!(await categories.GetAsync(category, cancellationToken)).Succeeded(out _, out var problem))
            return problem;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var source = await db.GetImageSourceAsync(category, cancellationToken);
        if (!caller.MaySee(source))
            return Problems.CategoryForbidden(source);
        if (!(await registry.AcquireAsync(category, null, cancellationToken)).Succeeded(out var model, out problem))
            return problem;
        var evaluation = await evaluations.FindNewestAsync(category, model.Version, cancellationToken);
        var evaluated = evaluation?.Scores.Where(score => !score.LeaveOneOut).ToArray() ?? [];
        // Also on inspections: a photograph that was learnt or evaluated counts once.
        var known = await db
            .Images.Where(image => image.Category == source)
            .Select(image => new { image.Id, image.Sha256 })
            .ToDictionaryAsync(image => image.Id, image => image.Sha256, StringComparer.Ordinal, cancellationToken);
        var counted = model
            .Scorer.Model.TrainingImages.Concat(evaluated.Select(score => known.GetValueOrDefault(score.ImageId, "")))
            .ToHashSet(StringComparer.Ordinal);
        var reviewed = (await ReadReviewedAsync(engine, source, category, model.Version, cancellationToken))
            .DistinctBy(row => row.Sha256, StringComparer.Ordinal)
            .Where(row => !counted.Contains(row.Sha256))
            .ToLookup(row => row.Verdict, row => row.Score);
        return TypedResults.Ok(
            ThresholdProposal.Create(
                model,
                evaluation?.Id,
                new KnownParts(
                    [.. evaluated.Where(score => score.Label == ImageLabel.Normal).Select(score => score.Score)],
                    [.. reviewed[Verdict.Good]],
                    [.. evaluated.Where(score => score.Label == ImageLabel.Anomalous).Select(score => score.Score)],
                    [.. reviewed[Verdict.Defective]]
                ),
                threshold
            )
        );
    }

    /// <summary>Reads the inspections that a version of a category decided, latest first.</summary>
    private static async Task<List<Reviewed>> ReadReviewedAsync(
        IDatabaseEngine engine,
        string source,
        string category,
        int version,
        CancellationToken cancellationToken
    )
    {
        var decidedBy = category == source ? null : category;
        await using var db = engine.CreateLedger();
        var found = new List<Reviewed>();
        // One verdict after the other, as the index has them.
        foreach (var verdict in new[] { Verdict.Good, Verdict.Defective })
            found.AddRange(
                await db
                    .Inspections.Where(row =>
                        row.Category == source
                        && row.Verdict == verdict
                        && row.ModelVersion == version
                        && row.DecidedBy == decidedBy
                    )
                    .OrderByDescending(row => row.Key)
                    .Take(MaxReviewed)
                    .Select(row => new Reviewed(row.Key, row.Sha256, row.Score, verdict))
                    .ToListAsync(cancellationToken)
            );
        return [.. found.OrderByDescending(row => row.Key)];
    }

    private sealed record Reviewed(long Key, string Sha256, double Score, Verdict Verdict);
}
