namespace PaDiM.Client;

/// <summary>Evaluations: what models find and miss, by images that are labelled.</summary>
public sealed class EvaluationsClient
{
    private readonly Connection _connection;

    internal EvaluationsClient(Connection connection) => _connection = connection;

    /// <summary>Starts an evaluation. Follow the job with <see cref="JobsClient"/>.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="request">What to do; null for the defaults.</param>
    /// <param name="idempotencyKey">The same key and request start one job, however often they are sent; null for a
    /// new one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The job.</returns>
    public Task<JobResponse> StartAsync(
        string category,
        EvaluationRequest? request = null,
        string? idempotencyKey = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.StartJobAsync(
            new Query("categories", category, "evaluations"),
            request ?? new EvaluationRequest(),
            PadimJson.Default.EvaluationRequest,
            idempotencyKey,
            cancellationToken
        );

    /// <summary>
    /// Lists the evaluations of a category, newest first. Pages are read as the list is gone through.
    /// </summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public IAsyncEnumerable<EvaluationResponse> ListAsync(
        string category,
        CancellationToken cancellationToken = default
    ) =>
        _connection.ListAsync(
            () => new Query("categories", category, "evaluations"),
            PadimJson.Default.EvaluationResponsePage,
            page => (page.Items, page.NextCursor),
            cancellationToken
        );

    /// <summary>Gets an evaluation, whose identifier is that of its job.</summary>
    /// <param name="id">Identifier.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<EvaluationResponse> GetAsync(string id, CancellationToken cancellationToken = default) =>
        _connection.GetAsync(new Query("evaluations", id), PadimJson.Default.EvaluationResponse, cancellationToken);

    /// <summary>
    /// Lists the images of an evaluation with their scores. Pages are read as the list is gone through.
    /// </summary>
    /// <param name="id">Identifier.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public IAsyncEnumerable<EvaluatedImage> ListImagesAsync(string id, CancellationToken cancellationToken = default) =>
        _connection.ListAsync(
            () => new Query("evaluations", id, "images"),
            PadimJson.Default.EvaluatedImagePage,
            page => (page.Items, page.NextCursor),
            cancellationToken
        );
}
