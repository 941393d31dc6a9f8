namespace PaDiM.Client;

/// <summary>The inspections that the service keeps.</summary>
public sealed class InspectionsClient
{
    private readonly Connection _connection;

    internal InspectionsClient(Connection connection) => _connection = connection;

    /// <summary>
    /// Lists inspections, newest first unless the filter says otherwise. Pages are read as the list is gone through.
    /// </summary>
    /// <param name="filter">Which inspections; null for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public IAsyncEnumerable<InspectionResponse> ListAsync(
        InspectionFilter? filter = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.ListAsync(
            () => InspectionFilter.Write(filter, new Query("inspections")).With("order", filter?.Order),
            PadimJson.Default.InspectionResponsePage,
            page => (page.Items, page.NextCursor),
            cancellationToken
        );

    /// <summary>Gets an inspection.</summary>
    /// <param name="id">Identifier of the inspection.</param>
    /// <param name="category">The category, where several have the identifier; null for the only one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<InspectionResponse> GetAsync(
        string id,
        string? category = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.GetAsync(
            new Query("inspections", id).With("category", category),
            PadimJson.Default.InspectionResponse,
            cancellationToken
        );

    /// <summary>Gets the photograph of an inspection. Dispose the stream.</summary>
    /// <param name="id">Identifier of the inspection.</param>
    /// <param name="category">The category, where several have the identifier; null for the only one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<Stream> GetImageAsync(
        string id,
        string? category = null,
        CancellationToken cancellationToken = default
    ) => _connection.DownloadAsync(new Query("inspections", id, "image").With("category", category), cancellationToken);

    /// <summary>Gets the heatmap of an inspection as PNG, made again. Dispose the stream.</summary>
    /// <param name="id">Identifier of the inspection.</param>
    /// <param name="style">How it is drawn; null for over the photograph.</param>
    /// <param name="category">The category, where several have the identifier; null for the only one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<Stream> GetHeatmapAsync(
        string id,
        HeatmapStyle? style = null,
        string? category = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.DownloadAsync(
            new Query("inspections", id, "heatmap").With("category", category).With("style", style),
            cancellationToken
        );

    /// <summary>Gets the regions of an inspection with their contours, made again.</summary>
    /// <param name="id">Identifier of the inspection.</param>
    /// <param name="heatmap">The heatmap that comes with them; null for none.</param>
    /// <param name="category">The category, where several have the identifier; null for the only one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<InspectionDrawing> GetDrawingAsync(
        string id,
        HeatmapStyle? heatmap = null,
        string? category = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.GetAsync(
            new Query("inspections", id, "drawing").With("category", category).With("heatmap", heatmap),
            PadimJson.Default.InspectionDrawing,
            cancellationToken
        );

    /// <summary>Says whether a part was good.</summary>
    /// <param name="id">Identifier of the inspection.</param>
    /// <param name="verdict">The verdict, and the kind of defect.</param>
    /// <param name="category">The category, where several have the identifier; null for the only one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<InspectionResponse> PutVerdictAsync(
        string id,
        VerdictRequest verdict,
        string? category = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.SendAsync(
            HttpMethod.Put,
            new Query("inspections", id, "verdict").With("category", category),
            verdict,
            PadimJson.Default.VerdictRequest,
            PadimJson.Default.InspectionResponse,
            isRepeatable: true,
            cancellationToken
        );

    /// <summary>Takes a verdict back.</summary>
    /// <param name="id">Identifier of the inspection.</param>
    /// <param name="category">The category, where several have the identifier; null for the only one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task DeleteVerdictAsync(string id, string? category = null, CancellationToken cancellationToken = default) =>
        _connection.DeleteAsync(new Query("inspections", id, "verdict").With("category", category), cancellationToken);

    /// <summary>Deletes all inspections of a part.</summary>
    /// <param name="part">Your name of the part.</param>
    /// <param name="category">Only of this category; null for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<DeletedInspections> DeleteAsync(
        string part,
        string? category = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.SendAsync(
            HttpMethod.Delete,
            new Query("inspections").With("category", category).With("part", part),
            PadimJson.Default.DeletedInspections,
            isRepeatable: true,
            cancellationToken
        );

    /// <summary>Exports inspections as a table. Dispose the stream.</summary>
    /// <param name="format">The format of the file.</param>
    /// <param name="filter">Which inspections; null for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<Stream> ExportAsync(
        InspectionFormat format,
        InspectionFilter? filter = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.DownloadAsync(
            InspectionFilter
                .Write(filter, new Query("inspections", "export"))
                .With("format", (InspectionFormat?)format),
            cancellationToken
        );

    /// <summary>Counts where defects are and of which kind, as a Pareto chart shows.</summary>
    /// <param name="filter">Which inspections; null for all.</param>
    /// <param name="grid">Number of cells along the longer side; null for the default.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<ParetoResponse> GetParetoAsync(
        InspectionFilter? filter = null,
        int? grid = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.GetAsync(
            InspectionFilter.Write(filter, new Query("inspections", "pareto")).With("grid", grid),
            PadimJson.Default.ParetoResponse,
            cancellationToken
        );

    /// <summary>Counts inspections by hour, shift or day.</summary>
    /// <param name="request">Which inspections, and how they are counted.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<SummaryResponse> GetSummaryAsync(
        SummaryOptions request,
        CancellationToken cancellationToken = default
    ) =>
        _connection.GetAsync(
            request.Write(new Query("inspections", "summary")),
            PadimJson.Default.SummaryResponse,
            cancellationToken
        );

    /// <summary>Gets what verdicts say about the decisions of a category.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="from">The first moment; null as the service chooses.</param>
    /// <param name="to">The moment behind the last; null for now.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<VerdictFiguresResponse> GetVerdictFiguresAsync(
        string category,
        DateTimeOffset? from = null,
        DateTimeOffset? to = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.GetAsync(
            new Query("inspections", "verdicts").With("category", category).With("from", from).With("to", to),
            PadimJson.Default.VerdictFiguresResponse,
            cancellationToken
        );

    /// <summary>Makes training images of inspections that were good.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="request">Which inspections, and whether to fit then.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<LearnResponse> LearnAsync(
        string category,
        LearnRequest request,
        CancellationToken cancellationToken = default
    ) =>
        _connection.SendAsync(
            HttpMethod.Post,
            new Query("categories", category, "learn"),
            request,
            PadimJson.Default.LearnRequest,
            PadimJson.Default.LearnResponse,
            isRepeatable: false,
            cancellationToken
        );
}
