using PaDiM.Service.Access;
using PaDiM.Service.Http;

namespace PaDiM.Service.Maintenance;

/// <summary><c>/v1/system/scrub</c>: whether all files are present and valid.</summary>
internal static class ScrubEndpoints
{
    public const string Path = "/v1/system/scrub";

    public static void MapScrub(this IEndpointRouteBuilder routes)
    {
        routes
            .MapPost(
                Path,
                async (Scrubber scrubber, CancellationToken cancellationToken) =>
                {
                    scrubber.Start();
                    return TypedResults.Accepted(Path, await scrubber.GetStatusAsync(cancellationToken));
                }
            )
            .Needs(AccessScope.Admin, everyCategory: true)
            .Audited("scrub.start")
            .WithTags("Operations")
            .WithName("StartScrub")
            .WithSummary("Verifies the hash of every stored file, in the background")
            .WithDescription(
                "One scrub runs at a time; if one is running, this has no effect. A scrub also runs every "
                    + "`ScrubHours`, and reads no faster than `ScrubMegabytesPerSecond`."
            )
            .Produces<ScrubResponse>(StatusCodes.Status202Accepted);
        routes
            .MapGet(
                Path,
                async (Scrubber scrubber, CancellationToken cancellationToken) =>
                    TypedResults.Ok(await scrubber.GetStatusAsync(cancellationToken))
            )
            .Needs(AccessScope.Admin, everyCategory: true)
            .WithTags("Operations")
            .WithName("GetScrub")
            .WithSummary("Gets the state and the last report of scrubbing")
            .Produces<ScrubResponse>();
    }
}
