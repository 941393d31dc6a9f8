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
                "Every change is recorded, including changes that were refused because of the current state; "
                    + "scores are not recorded. `status` is null if no response was sent: the process ended or the "
                    + "client disconnected."
            )
            .Produces<Page<AuditResponse>>();

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

/// <summary>An entry of the audit trail.</summary>
/// <param name="At">Time of the request.</param>
/// <param name="Actor">Name of the key, <c>token:</c> and the subject, <c>command:</c> and the operating-system user,
/// or <c>anonymous</c>.</param>
/// <param name="KeyId">Identifier of the key.</param>
/// <param name="Action">The action, such as <c>category.delete</c>.</param>
/// <param name="Category">Name of the category.</param>
/// <param name="Target">Path of the resource to change.</param>
/// <param name="Result">URL of the resource that was created, such as a job.</param>
/// <param name="Detail">The new value.</param>
/// <param name="Status">Status of the response; null if none was sent.</param>
/// <param name="Address">IP address of the client.</param>
/// <param name="TraceId">Identifier that finds the request in the log.</param>
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
