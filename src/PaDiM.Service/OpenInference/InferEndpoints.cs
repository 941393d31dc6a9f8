using PaDiM.Service.Admission;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Models;
using PaDiM.Service.Roles;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.OpenInference;

/// <summary><c>/v2/models/{category}/infer</c>: scores the images of a tensor.</summary>
internal static class InferEndpoints
{
    public static void MapInfer(this RouteGroupBuilder protocol)
    {
        var model = protocol
            .MapGroup("models/{category}")
            .AddEndpointFilter(CategoryName.Filter)
            .OnlyWhereScored()
            .WithScoreDeadlines();
        model.MapPost("infer", InferAsync);
        model.MapPost("versions/{version}/infer", InferAsync);
    }

    private static async Task<IResult> InferAsync(
        string category,
        HttpContext context,
        PartRegistry registry,
        ImageAdmission admission,
        InferReader reader,
        InferScorer scorer,
        [AsParameters] PartHeaders part,
        CancellationToken cancellationToken
    )
    {
        if (part.Validate() is { } badId)
            return badId;
        if (!ModelIndex.ParseVersion(category, context).Succeeded(out var number, out var problem))
            return problem;
        var acquired = await registry.AcquireAsync(category, number, cancellationToken);
        if (!acquired.Succeeded(out var models, out problem))
            return problem;
        // Before the body is read; the slot itself is taken when the image is here: slow senders hold none.
        if (admission.IsFull)
            return admission.Refuse();
        if (
            !(await reader.ReadAsync(context.Request, cancellationToken)).Succeeded(out var input, out problem)
            || !InferOutput.Choose(input.Header).Succeeded(out var outputs, out problem)
        )
            return problem;
        var scored = await scorer.ScoreAsync(
            models,
            input.Header,
            input.Shape.Count,
            input.Files,
            outputs,
            part,
            context,
            cancellationToken
        );
        return scored.ToResult(answer => new InferResult(answer));
    }
}
