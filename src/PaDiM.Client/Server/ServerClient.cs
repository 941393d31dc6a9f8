namespace PaDiM.Client;

/// <summary>The service itself.</summary>
public sealed class ServerClient
{
    private readonly Connection _connection;

    internal ServerClient(Connection connection) => _connection = connection;

    /// <summary>Gets version, device, memory, queues and models that are damaged.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<SystemResponse> GetAsync(CancellationToken cancellationToken = default) =>
        _connection.GetAsync(new Query("system"), PadimJson.Default.SystemResponse, cancellationToken);

    /// <summary>Lists the backbones that are built in, installed or available.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    public IAsyncEnumerable<BackboneResponse> ListBackbonesAsync(CancellationToken cancellationToken = default) =>
        _connection.ListAsync(
            () => new Query("backbones"),
            PadimJson.Default.BackboneResponsePage,
            page => (page.Items, page.NextCursor),
            cancellationToken
        );

    /// <summary>Starts a check of all stored files.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<ScrubResponse> StartScrubAsync(CancellationToken cancellationToken = default) =>
        _connection.SendAsync(
            HttpMethod.Post,
            new Query("system", "scrub"),
            PadimJson.Default.ScrubResponse,
            isRepeatable: true,
            cancellationToken
        );

    /// <summary>Gets how far the check is, and what the last one found.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<ScrubResponse> GetScrubAsync(CancellationToken cancellationToken = default) =>
        _connection.GetAsync(new Query("system", "scrub"), PadimJson.Default.ScrubResponse, cancellationToken);
}
