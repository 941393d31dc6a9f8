namespace PaDiM.Client;

/// <summary>Thresholds: how many good parts may be rejected.</summary>
public sealed class ThresholdsClient
{
    private readonly Connection _connection;

    internal ThresholdsClient(Connection connection) => _connection = connection;

    /// <summary>Gets the threshold in force and its history.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<ThresholdResponse> GetAsync(string category, CancellationToken cancellationToken = default) =>
        _connection.GetAsync(
            new Query("categories", category, "threshold"),
            PadimJson.Default.ThresholdResponse,
            cancellationToken
        );

    /// <summary>Changes the threshold; it is in force at once.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="change">A rate, or a threshold by hand.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<ThresholdResponse> ChangeAsync(
        string category,
        ThresholdRequest change,
        CancellationToken cancellationToken = default
    ) =>
        _connection.SendAsync(
            HttpMethod.Patch,
            new Query("categories", category, "threshold"),
            change,
            PadimJson.Default.ThresholdRequest,
            PadimJson.Default.ThresholdResponse,
            isRepeatable: true,
            cancellationToken
        );

    /// <summary>Shows how many decisions a change would turn, and changes nothing.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="change">A rate, or a threshold by hand.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<ThresholdPreview> PreviewAsync(
        string category,
        ThresholdRequest change,
        CancellationToken cancellationToken = default
    ) =>
        _connection.SendAsync(
            HttpMethod.Post,
            new Query("categories", category, "threshold", "preview"),
            change,
            PadimJson.Default.ThresholdRequest,
            PadimJson.Default.ThresholdPreview,
            isRepeatable: true,
            cancellationToken
        );

    /// <summary>Proposes a threshold from what is known about good parts and defects.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="threshold">One to compare with; null for none.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<ThresholdProposal> ProposeAsync(
        string category,
        double? threshold = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.GetAsync(
            new Query("categories", category, "threshold", "proposal").With("threshold", threshold),
            PadimJson.Default.ThresholdProposal,
            cancellationToken
        );

    /// <summary>
    /// Lists the scores that the threshold is chosen from. Pages are read as the list is gone through.
    /// </summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public IAsyncEnumerable<ThresholdScore> ListScoresAsync(
        string category,
        CancellationToken cancellationToken = default
    ) =>
        _connection.ListAsync(
            () => new Query("categories", category, "threshold", "scores"),
            PadimJson.Default.ThresholdScorePage,
            page => (page.Items, page.NextCursor),
            cancellationToken
        );
}
