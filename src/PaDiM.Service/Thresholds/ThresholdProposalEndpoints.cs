using PaDiM.Service.Access;
using PaDiM.Service.Categories;
using PaDiM.Service.Http;
using PaDiM.Service.Models;

namespace PaDiM.Service.Thresholds;

/// <summary>
/// <c>/v1/categories/{category}/threshold/proposal</c>: what thresholds would do with the parts that are known.
/// </summary>
internal static class ThresholdProposalEndpoints
{
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
        KnownPartStore parts,
        CancellationToken cancellationToken,
        QueryNumber? threshold = null
    )
    {
        if (threshold is { Value: var wanted } && !(double.IsFinite(wanted) && wanted >= 0))
            return Problems.InvalidRequest("threshold must be a number of at least 0.");
        if (!(await categories.GetAsync(category, cancellationToken)).Succeeded(out _, out var problem))
            return problem;
        var source = await parts.GetSourceAsync(category, cancellationToken);
        if (!caller.MaySee(source))
            return Problems.CategoryForbidden(source);
        if (!(await registry.AcquireAsync(category, null, cancellationToken)).Succeeded(out var model, out problem))
            return problem;
        var (known, evaluation) = await parts.ReadAsync(source, model, cancellationToken);
        return TypedResults.Ok(ThresholdProposal.Create(model, evaluation, known, threshold?.Value));
    }
}
