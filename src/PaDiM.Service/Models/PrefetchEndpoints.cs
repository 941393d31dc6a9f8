using PaDiM.Service.Access;
using PaDiM.Service.Http;
using PaDiM.Service.Roles;

namespace PaDiM.Service.Models;

/// <summary><c>/v1/categories/{category}/prefetch</c>: loads a model before its product arrives on the line.</summary>
internal static class PrefetchEndpoints
{
    public static void MapPrefetch(this RouteGroupBuilder category) =>
        category
            .MapPost("prefetch", PrefetchAsync)
            .Needs(AccessScope.Score)
            .OnlyWhereScored()
            .WithTags("Models")
            .WithName("PrefetchModel")
            .WithSummary("Loads the active models so that the next score is fast")
            .WithDescription(
                "Reads the model, opens its backbone and runs the model's self-test, and does the same for the "
                    + "categories that take their images from this one. Responds when all are ready to score. Only "
                    + "`pinned` keeps a model in memory permanently."
            )
            .Produces<PrefetchResponse>();

    private static async Task<IResult> PrefetchAsync(
        string category,
        PartRegistry registry,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var began = time.GetTimestamp();
        if (!(await registry.PrefetchAsync(category, cancellationToken)).Succeeded(out var ready, out var problem))
            return problem;
        return TypedResults.Ok(
            new PrefetchResponse(
                ready.Models.Models[0].Category,
                ready.Models.Models[0].Version,
                ready.Models.Models.Sum(model => model.Cached.Bytes),
                ready.Loaded,
                Math.Round(time.GetElapsedTime(began).TotalMilliseconds, 3)
            )
        );
    }
}
