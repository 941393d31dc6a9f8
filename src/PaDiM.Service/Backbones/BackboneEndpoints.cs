using PaDiM.Engine.Catalogue;
using PaDiM.Service.Access;
using PaDiM.Service.Http;

namespace PaDiM.Service.Backbones;

/// <summary><c>/v1/backbones</c>: the networks that categories may name, and those that can be installed.</summary>
internal static class BackboneEndpoints
{
    public static void MapBackboneEndpoints(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(
                "/v1/backbones",
                (BackboneListing backbones) =>
                    TypedResults.Ok(
                        new Page<BackboneResponse>([.. backbones.List().Select(BackboneResponse.Of)], NextCursor: null)
                    )
            )
            .Needs(AccessScope.Score)
            .WithTags("Backbones")
            .WithName("ListBackbones")
            .WithSummary("Lists the backbones that categories may name, and those that can be installed")
            .WithDescription(
                "Those in the directories, built-in ones first, then what the catalogue has besides: `padim backbones pull NAME` installs it. One page holds them all. A file that has just been put into a directory is there."
            )
            .Produces<Page<BackboneResponse>>();
}
