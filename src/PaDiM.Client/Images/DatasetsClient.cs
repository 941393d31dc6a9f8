namespace PaDiM.Client;

/// <summary>Whole data sets: many images at once, and archives in the layout of MVTec AD.</summary>
public sealed class DatasetsClient
{
    private readonly Connection _connection;

    internal DatasetsClient(Connection connection) => _connection = connection;

    /// <summary>Changes what many images show.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="request">Which images, and what to change.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<ImagesChangedResponse> ChangeAsync(
        string category,
        UpdateImagesRequest request,
        CancellationToken cancellationToken = default
    ) =>
        _connection.SendAsync(
            HttpMethod.Post,
            new Query("categories", category, "dataset", "update"),
            request,
            PadimJson.Default.UpdateImagesRequest,
            PadimJson.Default.ImagesChangedResponse,
            isRepeatable: false,
            cancellationToken
        );

    /// <summary>Deletes many images.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="request">Which images.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<ImagesChangedResponse> DeleteAsync(
        string category,
        DeleteImagesRequest request,
        CancellationToken cancellationToken = default
    ) =>
        _connection.SendAsync(
            HttpMethod.Post,
            new Query("categories", category, "dataset", "delete"),
            request,
            PadimJson.Default.DeleteImagesRequest,
            PadimJson.Default.ImagesChangedResponse,
            isRepeatable: false,
            cancellationToken
        );

    /// <summary>Exports all images of a category as a zip archive. Dispose the stream.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<Stream> ExportAsync(string category, CancellationToken cancellationToken = default) =>
        _connection.DownloadAsync(new Query("categories", category, "dataset"), cancellationToken);

    /// <summary>Exports the images that a model was fitted to as a zip archive. Dispose the stream.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="version">Version of the model, from 1.</param>
    /// <param name="skipMissing">Whether to export those that are still there if others are gone.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<Stream> ExportAsync(
        string category,
        int version,
        bool skipMissing = false,
        CancellationToken cancellationToken = default
    ) =>
        _connection.DownloadAsync(
            new Query("categories", category, "models", Query.Number(version), "dataset").With(
                "skipMissing",
                skipMissing
            ),
            cancellationToken
        );

    /// <summary>Imports a zip archive.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="archive">The archive, read from where it is and left open.</param>
    /// <param name="progress">Told how many bytes are sent; null for none.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<ImportResponse> ImportAsync(
        string category,
        Stream archive,
        IProgress<long>? progress = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.SendAsync(
            HttpMethod.Post,
            new Query("categories", category, "dataset"),
            ImageSource.FromStream(archive),
            PadimJson.Default.ImportResponse,
            progress,
            cancellationToken
        );
}
