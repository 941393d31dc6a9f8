namespace PaDiM.Client;

/// <summary>Candidates: versions that score in the shadow of the active one, without deciding.</summary>
public sealed class ShadowsClient
{
    private readonly Connection _connection;

    internal ShadowsClient(Connection connection) => _connection = connection;

    /// <summary>Gets how the candidate of a category does.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<ShadowResponse> GetAsync(string category, CancellationToken cancellationToken = default) =>
        _connection.GetAsync(
            new Query("categories", category, "shadow"),
            PadimJson.Default.ShadowResponse,
            cancellationToken
        );

    /// <summary>Lets a version score in the shadow.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="version">Version of the model, from 1.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<ShadowResponse> PutAsync(string category, int version, CancellationToken cancellationToken = default) =>
        _connection.SendAsync(
            HttpMethod.Put,
            new Query("categories", category, "shadow"),
            new ShadowRequest { Version = version },
            PadimJson.Default.ShadowRequest,
            PadimJson.Default.ShadowResponse,
            isRepeatable: true,
            cancellationToken
        );

    /// <summary>Ends the shadow.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task DeleteAsync(string category, CancellationToken cancellationToken = default) =>
        _connection.DeleteAsync(new Query("categories", category, "shadow"), cancellationToken);

    /// <summary>
    /// Lists the inspections that the candidate would have decided otherwise. Pages are read as the list is gone
    /// through.
    /// </summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public IAsyncEnumerable<ShadowDifference> ListDifferencesAsync(
        string category,
        CancellationToken cancellationToken = default
    ) =>
        _connection.ListAsync(
            () => new Query("categories", category, "shadow", "differences"),
            PadimJson.Default.ShadowDifferencePage,
            page => (page.Items, page.NextCursor),
            cancellationToken
        );

    /// <summary>Activates the candidate.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="version">The version that it must be; null for any.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<ModelResponse> PromoteAsync(
        string category,
        int? version = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.SendAsync(
            HttpMethod.Post,
            new Query("categories", category, "shadow", "promote").With("version", version),
            PadimJson.Default.ModelResponse,
            isRepeatable: true,
            cancellationToken
        );
}
