namespace PaDiM.Client;

/// <summary>Sinks: where inspections are sent on to.</summary>
public sealed class SinksClient
{
    private readonly Connection _connection;

    internal SinksClient(Connection connection) => _connection = connection;

    /// <summary>Lists the sinks, by name. Pages are read as the list is gone through.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    public IAsyncEnumerable<SinkResponse> ListAsync(CancellationToken cancellationToken = default) =>
        _connection.ListAsync(
            () => new Query("sinks"),
            PadimJson.Default.SinkResponsePage,
            page => (page.Items, page.NextCursor),
            cancellationToken
        );

    /// <summary>Gets a sink and how it does.</summary>
    /// <param name="sink">Name of the sink.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<SinkResponse> GetAsync(string sink, CancellationToken cancellationToken = default) =>
        _connection.GetAsync(new Query("sinks", sink), PadimJson.Default.SinkResponse, cancellationToken);

    /// <summary>Creates or replaces a sink.</summary>
    /// <param name="sink">Name of the sink.</param>
    /// <param name="settings">Its settings: one of webhook, MQTT and folder.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<SinkResponse> PutAsync(
        string sink,
        SinkRequest settings,
        CancellationToken cancellationToken = default
    ) =>
        _connection.SendAsync(
            HttpMethod.Put,
            new Query("sinks", sink),
            settings,
            PadimJson.Default.SinkRequest,
            PadimJson.Default.SinkResponse,
            isRepeatable: true,
            cancellationToken
        );

    /// <summary>Deletes a sink with its dead letters.</summary>
    /// <param name="sink">Name of the sink.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task DeleteAsync(string sink, CancellationToken cancellationToken = default) =>
        _connection.DeleteAsync(new Query("sinks", sink), cancellationToken);

    /// <summary>Sends a test through a sink.</summary>
    /// <param name="sink">Name of the sink.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<SinkTestResponse> TestAsync(string sink, CancellationToken cancellationToken = default) =>
        _connection.SendAsync(
            HttpMethod.Post,
            new Query("sinks", sink, "test"),
            PadimJson.Default.SinkTestResponse,
            isRepeatable: false,
            cancellationToken
        );

    /// <summary>Lists what could not be delivered. Pages are read as the list is gone through.</summary>
    /// <param name="sink">Name of the sink.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public IAsyncEnumerable<DeadLetterResponse> ListDeadLettersAsync(
        string sink,
        CancellationToken cancellationToken = default
    ) =>
        _connection.ListAsync(
            () => new Query("sinks", sink, "dead-letters"),
            PadimJson.Default.DeadLetterResponsePage,
            page => (page.Items, page.NextCursor),
            cancellationToken
        );

    /// <summary>Deletes all dead letters of a sink.</summary>
    /// <param name="sink">Name of the sink.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<DeadLetterCount> DeleteDeadLettersAsync(string sink, CancellationToken cancellationToken = default) =>
        _connection.SendAsync(
            HttpMethod.Delete,
            new Query("sinks", sink, "dead-letters"),
            PadimJson.Default.DeadLetterCount,
            isRepeatable: true,
            cancellationToken
        );

    /// <summary>Deletes a dead letter.</summary>
    /// <param name="sink">Name of the sink.</param>
    /// <param name="letter">Identifier of the dead letter.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task DeleteDeadLetterAsync(string sink, string letter, CancellationToken cancellationToken = default) =>
        _connection.DeleteAsync(new Query("sinks", sink, "dead-letters", letter), cancellationToken);

    /// <summary>Sends all dead letters of a sink again.</summary>
    /// <param name="sink">Name of the sink.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<DeadLetterCount> SendDeadLettersAsync(string sink, CancellationToken cancellationToken = default) =>
        _connection.SendAsync(
            HttpMethod.Post,
            new Query("sinks", sink, "dead-letters", "send"),
            PadimJson.Default.DeadLetterCount,
            isRepeatable: false,
            cancellationToken
        );

    /// <summary>Sends a dead letter again.</summary>
    /// <param name="sink">Name of the sink.</param>
    /// <param name="letter">Identifier of the dead letter.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<DeadLetterCount> SendDeadLetterAsync(
        string sink,
        string letter,
        CancellationToken cancellationToken = default
    ) =>
        _connection.SendAsync(
            HttpMethod.Post,
            new Query("sinks", sink, "dead-letters", letter, "send"),
            PadimJson.Default.DeadLetterCount,
            isRepeatable: false,
            cancellationToken
        );
}
