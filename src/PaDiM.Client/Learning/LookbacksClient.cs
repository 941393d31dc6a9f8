namespace PaDiM.Client;

/// <summary>Lookbacks: what another threshold or version would have decided about past inspections.</summary>
public sealed class LookbacksClient
{
    private readonly Connection _connection;

    internal LookbacksClient(Connection connection) => _connection = connection;

    /// <summary>Starts a lookback. Follow the job with <see cref="JobsClient"/>.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="request">What to do; null for the defaults.</param>
    /// <param name="idempotencyKey">The same key and request start one job, however often they are sent; null for a
    /// new one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The job.</returns>
    public Task<JobResponse> StartAsync(
        string category,
        LookbackRequest? request = null,
        string? idempotencyKey = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.StartJobAsync(
            new Query("categories", category, "lookbacks"),
            request ?? new LookbackRequest(),
            PadimJson.Default.LookbackRequest,
            idempotencyKey,
            cancellationToken
        );

    /// <summary>Lists the lookbacks of a category, newest first. Pages are read as the list is gone through.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public IAsyncEnumerable<LookbackResponse> ListAsync(
        string category,
        CancellationToken cancellationToken = default
    ) =>
        _connection.ListAsync(
            () => new Query("categories", category, "lookbacks"),
            PadimJson.Default.LookbackResponsePage,
            page => (page.Items, page.NextCursor),
            cancellationToken
        );

    /// <summary>Gets a lookback, whose identifier is that of its job.</summary>
    /// <param name="id">Identifier.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<LookbackResponse> GetAsync(string id, CancellationToken cancellationToken = default) =>
        _connection.GetAsync(new Query("lookbacks", id), PadimJson.Default.LookbackResponse, cancellationToken);

    /// <summary>
    /// Lists the inspections whose decision would differ. Pages are read as the list is gone through.
    /// </summary>
    /// <param name="id">Identifier.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public IAsyncEnumerable<LookbackFlip> ListInspectionsAsync(
        string id,
        CancellationToken cancellationToken = default
    ) =>
        _connection.ListAsync(
            () => new Query("lookbacks", id, "inspections"),
            PadimJson.Default.LookbackFlipPage,
            page => (page.Items, page.NextCursor),
            cancellationToken
        );
}
