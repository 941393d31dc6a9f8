using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary><c>/v1/keys</c>: creates, lists and revokes keys.</summary>
internal static class KeyEndpoints
{
    public static void MapKeys(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/v1/keys").WithTags("Access").Needs(AccessScope.Admin, everyCategory: true);
        keys.MapPost("", CreateAsync)
            .Audited("key.create")
            .WithName("CreateKey")
            .WithSummary("Creates a key (shown once)")
            .WithDescription(
                "Only a hash of the key is stored. As soon as the first key exists, every operation except "
                    + "health requires one, so create an `admin` key first."
            )
            .Produces<NewKeyResponse>(StatusCodes.Status201Created);
        keys.MapGet("", ListAsync)
            .WithName("ListKeys")
            .WithSummary("Lists keys, including revoked and expired ones")
            .Produces<Page<KeyResponse>>();
        keys.MapGet("{id}", GetAsync)
            .WithName("GetKey")
            .WithSummary("Gets a key's permissions")
            .Produces<KeyResponse>();
        keys.MapDelete("{id}", RevokeAsync)
            .Audited("key.revoke")
            .WithName("RevokeKey")
            .WithSummary("Revokes a key")
            .WithDescription(
                "The key stops working at once, on other replicas within a second. It stays in the list; "
                    + "revoking the last key does not open access again. If the key was already revoked, the "
                    + "response is 200 with the key, and `revokedAt` is the original time."
            )
            .Produces(StatusCodes.Status204NoContent)
            .Produces<KeyResponse>();
    }

    private static async Task<IResult> CreateAsync(
        KeyRequest request,
        HttpContext context,
        KeyStore store,
        CancellationToken cancellationToken
    )
    {
        if (!(await store.CreateAsync(request, cancellationToken)).Succeeded(out var made, out var problem))
            return problem;
        var about = KeyResponse.From(made.Key);
        context.AddAuditDetail(about);
        return TypedResults.Created($"/v1/keys/{about.Id}", new NewKeyResponse(made.Text, about, made.Warnings));
    }

    private static async Task<IResult> ListAsync(
        KeyStore store,
        CancellationToken cancellationToken,
        int? limit = null,
        string? cursor = null
    ) =>
        PageRequest.Parse(limit, cursor).Succeeded(out var page, out var problem)
            ? TypedResults.Ok(await store.ListAsync(page, cancellationToken))
            : problem;

    private static async Task<IResult> GetAsync(string id, KeyStore store, CancellationToken cancellationToken) =>
        (await store.GetAsync(id, cancellationToken)).ToResult(key => TypedResults.Ok(KeyResponse.From(key)));

    private static async Task<IResult> RevokeAsync(string id, KeyStore store, CancellationToken cancellationToken) =>
        (await store.RevokeAsync(id, cancellationToken)).ToResult(
            IResult (revoked) =>
                revoked.Before ? TypedResults.Ok(KeyResponse.From(revoked.Key)) : TypedResults.NoContent()
        );
}
