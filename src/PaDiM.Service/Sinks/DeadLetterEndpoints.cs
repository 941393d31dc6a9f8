using PaDiM.Service.Access;
using PaDiM.Service.Http;

namespace PaDiM.Service.Sinks;

/// <summary><c>/v1/sinks/{sink}/dead-letters</c>: what a sink could not deliver.</summary>
internal static class DeadLetterEndpoints
{
    public static void MapDeadLetters(this RouteGroupBuilder sinks)
    {
        var letters = sinks.MapGroup("{sink}/dead-letters").AddEndpointFilter(SinkRules.Filter);
        letters
            .MapGet("", ListAsync)
            .WithName("ListDeadLetters")
            .WithSummary("Lists inspections that were not delivered, oldest first")
            .Produces<Page<DeadLetterResponse>>();
        letters
            .MapPost("send", SendAllAsync)
            .Audited("sink.letters.send")
            .WithName("SendDeadLetters")
            .WithSummary("Sends all dead letters again")
            .WithDescription(
                "Also refused ones. They are sent in the background, oldest first, beside new inspections; those that the "
                    + "receiver takes leave the list."
            )
            .Produces<DeadLetterCount>(StatusCodes.Status202Accepted);
        letters
            .MapPost("{letter}/send", SendAsync)
            .Audited("sink.letters.send")
            .WithName("SendDeadLetter")
            .WithSummary("Sends a dead letter again")
            .Produces<DeadLetterCount>(StatusCodes.Status202Accepted);
        letters
            .MapDelete("", DeleteAllAsync)
            .Audited("sink.letters.delete")
            .WithName("DeleteDeadLetters")
            .WithSummary("Deletes all dead letters of a sink")
            .Produces<DeadLetterCount>();
        letters
            .MapDelete("{letter}", DeleteAsync)
            .Audited("sink.letters.delete")
            .WithName("DeleteDeadLetter")
            .WithSummary("Deletes a dead letter")
            .Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> ListAsync(
        string sink,
        SinkStore sinks,
        DeadLetterStore letters,
        CancellationToken cancellationToken,
        int? limit = null,
        string? cursor = null
    )
    {
        if (!PageRequest.Parse(limit, cursor).Succeeded(out var page, out var problem))
            return problem;
        return (await sinks.GetAsync(sink, cancellationToken)).Problem is { } missing
            ? missing
            : TypedResults.Ok(await letters.ListAsync(sink, page, cancellationToken));
    }

    private static async Task<IResult> SendAllAsync(
        string sink,
        SinkStore sinks,
        DeadLetterStore letters,
        SinkRegistry registry,
        CancellationToken cancellationToken
    )
    {
        if ((await sinks.GetAsync(sink, cancellationToken)).Problem is { } missing)
            return missing;
        var count = await letters.ReleaseAsync(sink, null, cancellationToken);
        registry.Find(sink)?.Resend();
        return TypedResults.Accepted((string?)null, new DeadLetterCount(count));
    }

    private static async Task<IResult> SendAsync(
        string sink,
        string letter,
        SinkStore sinks,
        DeadLetterStore letters,
        SinkRegistry registry,
        CancellationToken cancellationToken
    )
    {
        if ((await sinks.GetAsync(sink, cancellationToken)).Problem is { } missing)
            return missing;
        if (await letters.ReleaseAsync(sink, letter, cancellationToken) == 0)
            return Problems.DeadLetterNotFound(sink, letter);
        registry.Find(sink)?.Resend();
        return TypedResults.Accepted((string?)null, new DeadLetterCount(1));
    }

    private static async Task<IResult> DeleteAllAsync(
        string sink,
        SinkStore sinks,
        DeadLetterStore letters,
        SinkRegistry registry,
        CancellationToken cancellationToken
    )
    {
        if ((await sinks.GetAsync(sink, cancellationToken)).Problem is { } missing)
            return missing;
        var count = await letters.RemoveAsync(sink, null, cancellationToken);
        await registry.CountAsync(cancellationToken);
        return TypedResults.Ok(new DeadLetterCount(count));
    }

    private static async Task<IResult> DeleteAsync(
        string sink,
        string letter,
        SinkStore sinks,
        DeadLetterStore letters,
        SinkRegistry registry,
        CancellationToken cancellationToken
    )
    {
        if ((await sinks.GetAsync(sink, cancellationToken)).Problem is { } missing)
            return missing;
        if (await letters.RemoveAsync(sink, letter, cancellationToken) == 0)
            return Problems.DeadLetterNotFound(sink, letter);
        await registry.CountAsync(cancellationToken);
        return TypedResults.NoContent();
    }
}
