using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary><c>/v1/keys</c>: to make keys, list them and revoke them.</summary>
internal static class KeyEndpoints
{
    public static void MapKeys(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/v1/keys").WithTags("Access").Needs(AccessScope.Admin, everyCategory: true);
        keys.MapPost("", CreateAsync)
            .Audited("key.create")
            .WithName("CreateKey")
            .WithSummary("Makes a key, and shows it this once")
            .WithDescription(
                "Only a hash of it is kept. As soon as there is a first key, all operations but health ask for one: make an `admin` key first."
            )
            .Produces<NewKeyResponse>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status400BadRequest);
        keys.MapGet("", ListAsync)
            .WithName("ListKeys")
            .WithSummary("Lists keys, revoked and expired ones too")
            .Produces<Page<KeyResponse>>()
            .ProducesProblem(StatusCodes.Status400BadRequest);
        keys.MapGet("{id}", GetAsync)
            .WithName("GetKey")
            .WithSummary("Shows what a key opens")
            .Produces<KeyResponse>()
            .ProducesProblem(StatusCodes.Status404NotFound);
        keys.MapDelete("{id}", RevokeAsync)
            .Audited("key.revoke")
            .WithName("RevokeKey")
            .WithSummary("Revokes a key")
            .WithDescription(
                "It opens nothing from now on, on other replicas within a second. It stays in the list; access does not open again with the last key. One that was revoked before is answered with 200 and the key, whose `revokedAt` says when."
            )
            .Produces(StatusCodes.Status204NoContent)
            .Produces<KeyResponse>()
            .ProducesProblem(StatusCodes.Status404NotFound);
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
        context.NoteForAudit(about);
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
