namespace PaDiM.Client;

/// <summary>Keys, and the audit trail.</summary>
public sealed class KeysClient
{
    private readonly Connection _connection;

    internal KeysClient(Connection connection) => _connection = connection;

    /// <summary>Creates a key. Its text is in the answer, and nowhere else.</summary>
    /// <param name="request">Name, scope and categories.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<NewKeyResponse> CreateAsync(KeyRequest request, CancellationToken cancellationToken = default) =>
        _connection.SendAsync(
            HttpMethod.Post,
            new Query("keys"),
            request,
            PadimJson.Default.KeyRequest,
            PadimJson.Default.NewKeyResponse,
            isRepeatable: false,
            cancellationToken
        );

    /// <summary>Lists the keys. Pages are read as the list is gone through.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    public IAsyncEnumerable<KeyResponse> ListAsync(CancellationToken cancellationToken = default) =>
        _connection.ListAsync(
            () => new Query("keys"),
            PadimJson.Default.KeyResponsePage,
            page => (page.Items, page.NextCursor),
            cancellationToken
        );

    /// <summary>Gets a key, without its text.</summary>
    /// <param name="id">Identifier of the key: its middle part.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<KeyResponse> GetAsync(string id, CancellationToken cancellationToken = default) =>
        _connection.GetAsync(new Query("keys", id), PadimJson.Default.KeyResponse, cancellationToken);

    /// <summary>Revokes a key.</summary>
    /// <param name="id">Identifier of the key: its middle part.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task RevokeAsync(string id, CancellationToken cancellationToken = default) =>
        _connection.DeleteAsync(new Query("keys", id), cancellationToken);

    /// <summary>Lists what was changed, newest first. Pages are read as the list is gone through.</summary>
    /// <param name="category">Only of this category; null for all.</param>
    /// <param name="actor">Only by this actor: the name or identifier of a key; null for all.</param>
    /// <param name="since">Only from this time on; null for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public IAsyncEnumerable<AuditResponse> ListAuditAsync(
        string? category = null,
        string? actor = null,
        DateTimeOffset? since = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.ListAsync(
            () => new Query("audit").With("category", category).With("actor", actor).With("since", since),
            PadimJson.Default.AuditResponsePage,
            page => (page.Items, page.NextCursor),
            cancellationToken
        );
}
