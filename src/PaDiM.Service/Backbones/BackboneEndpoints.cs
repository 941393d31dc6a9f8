using PaDiM.Engine.Catalogue;
using PaDiM.Service.Access;
using PaDiM.Service.Http;

namespace PaDiM.Service.Backbones;

/// <summary><c>/v1/backbones</c>: installed and installable backbones.</summary>
internal static class BackboneEndpoints
{
    public static void MapBackboneEndpoints(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(
                "/v1/backbones",
                (BackboneListing backbones) =>
                    TypedResults.Ok(
                        new Page<BackboneResponse>(
                            [.. backbones.List().Select(BackboneResponse.From)],
                            NextCursor: null
                        )
                    )
            )
            .Needs(AccessScope.Score)
            .WithTags("Backbones")
            .WithName("ListBackbones")
            .WithSummary("Lists installed and installable backbones")
            .WithDescription(
                "Backbones from the directories come first, built-in ones leading, then those of the "
                    + "catalogue that are not installed yet: install them with `padim backbones pull NAME`. The "
                    + "list has one page. New files in a directory appear at once."
            )
            .Produces<Page<BackboneResponse>>();
}
