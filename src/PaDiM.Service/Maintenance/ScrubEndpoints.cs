using PaDiM.Service.Access;
using PaDiM.Service.Http;

namespace PaDiM.Service.Maintenance;

/// <summary><c>/v1/system/scrub</c>: whether all files are there and what they were.</summary>
internal static class ScrubEndpoints
{
    public const string Path = "/v1/system/scrub";

    public static void MapScrub(this IEndpointRouteBuilder routes)
    {
        routes
            .MapPost(Path, (Scrubber scrubber) => TypedResults.Accepted(Path, scrubber.Start()))
            .Needs(AccessScope.Admin, everyCategory: true)
            .Audited("scrub.start")
            .WithTags("Operations")
            .WithName("StartScrub")
            .WithSummary("Reads every stored file and compares it with its hash, in the background")
            .WithDescription(
                "One scrub at a time: where one is under way, this changes nothing. It runs by itself every `ScrubHours` as well, and reads no faster than `ScrubMegabytesPerSecond`."
            )
            .Produces<ScrubResponse>(StatusCodes.Status202Accepted);
        routes
            .MapGet(Path, (Scrubber scrubber) => TypedResults.Ok(scrubber.Describe()))
            .Needs(AccessScope.Admin, everyCategory: true)
            .WithTags("Operations")
            .WithName("GetScrub")
            .WithSummary("Tells what the last scrub found")
            .Produces<ScrubResponse>();
    }
}
