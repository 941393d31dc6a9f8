using System.Text.Json;
using System.Text.Json.Nodes;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary><c>/v1/audit</c>: who changed what, and when.</summary>
internal static class AuditEndpoints
{
    public static void MapAudit(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/v1/audit", ListAsync)
            .Needs(AccessScope.Admin, everyCategory: true)
            .WithTags("Access")
            .WithName("ListAudit")
            .WithSummary("Lists who changed what and when, newest first")
            .WithDescription(
                "Every operation that changes something leaves an entry, also one that was refused by its state; scores leave none. `status` is null when the answer never left: the process ended, or the client was gone."
            )
            .Produces<Page<AuditResponse>>()
            .ProducesProblem(StatusCodes.Status400BadRequest);

    private static async Task<IResult> ListAsync(
        AuditStore store,
        CancellationToken cancellationToken,
        string? category = null,
        string? actor = null,
        DateTimeOffset? since = null,
        int? limit = null,
        string? cursor = null
    ) =>
        category is not null && !CategoryName.IsValid(category) ? Problems.InvalidName(category)
        : !PageRequest.Parse(limit, cursor).Succeeded(out var page, out var problem) ? problem
        : TypedResults.Ok(await store.ListAsync(category, actor, since?.UtcDateTime, page, cancellationToken));
}

/// <summary>A change.</summary>
/// <param name="At">When it was asked for.</param>
/// <param name="Actor">Name of the key, <c>token:</c> and the subject, <c>command:</c> and the user of the machine, or
/// <c>anonymous</c>.</param>
/// <param name="KeyId">The key.</param>
/// <param name="Action">What was to be done, such as <c>category.delete</c>.</param>
/// <param name="Category">Whose.</param>
/// <param name="Target">Address of what was to be changed.</param>
/// <param name="Result">Address of what was made, such as a job.</param>
/// <param name="Detail">What it was to become.</param>
/// <param name="Status">Status of the answer; null when it never left.</param>
/// <param name="Address">Where the request came from.</param>
/// <param name="TraceId">Finds the request in the log.</param>
internal sealed record AuditResponse(
    DateTime At,
    string Actor,
    string? KeyId,
    string Action,
    string? Category,
    string Target,
    string? Result,
    JsonNode? Detail,
    int? Status,
    string? Address,
    string? TraceId
)
{
    public static AuditResponse From(AuditEntry entry) =>
        new(
            entry.At,
            entry.Actor,
            entry.KeyId,
            entry.Action,
            entry.Category,
            entry.Target,
            entry.Result,
            entry.Detail is { } detail ? JsonSerializer.Deserialize<JsonNode>(detail) : null,
            entry.Status,
            entry.Address,
            entry.TraceId
        );
}
