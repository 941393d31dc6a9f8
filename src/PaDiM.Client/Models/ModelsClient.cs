namespace PaDiM.Client;

/// <summary>The models of categories.</summary>
public sealed class ModelsClient
{
    private readonly Connection _connection;

    internal ModelsClient(Connection connection) => _connection = connection;

    /// <summary>Lists the models of a category, newest first. Pages are read as the list is gone through.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public IAsyncEnumerable<ModelResponse> ListAsync(string category, CancellationToken cancellationToken = default) =>
        _connection.ListAsync(
            () => new Query("categories", category, "models"),
            PadimJson.Default.ModelResponsePage,
            page => (page.Items, page.NextCursor),
            cancellationToken
        );

    /// <summary>Gets a model.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="version">Version of the model, from 1.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<ModelResponse> GetAsync(string category, int version, CancellationToken cancellationToken = default) =>
        _connection.GetAsync(
            new Query("categories", category, "models", Query.Number(version)),
            PadimJson.Default.ModelResponse,
            cancellationToken
        );

    /// <summary>Deletes a model that is not active.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="version">Version of the model, from 1.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task DeleteAsync(string category, int version, CancellationToken cancellationToken = default) =>
        _connection.DeleteAsync(new Query("categories", category, "models", Query.Number(version)), cancellationToken);

    /// <summary>Lets a version score from now on.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="version">Version of the model, from 1.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<ModelResponse> ActivateAsync(
        string category,
        int version,
        CancellationToken cancellationToken = default
    ) =>
        _connection.SendAsync(
            HttpMethod.Post,
            new Query("categories", category, "models", Query.Number(version), "activate"),
            PadimJson.Default.ModelResponse,
            isRepeatable: true,
            cancellationToken
        );

    /// <summary>Lists the images that a model was fitted to. Pages are read as the list is gone through.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="version">Version of the model, from 1.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public IAsyncEnumerable<ModelImageResponse> ListImagesAsync(
        string category,
        int version,
        CancellationToken cancellationToken = default
    ) =>
        _connection.ListAsync(
            () => new Query("categories", category, "models", Query.Number(version), "images"),
            PadimJson.Default.ModelImageResponsePage,
            page => (page.Items, page.NextCursor),
            cancellationToken
        );

    /// <summary>Exports a model. Dispose the stream.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="version">Version of the model, from 1.</param>
    /// <param name="format">For the service and its command line, or as one ONNX file; null for the first.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<Stream> ExportAsync(
        string category,
        int version,
        ExportFormat? format = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.DownloadAsync(
            new Query("categories", category, "models", Query.Number(version), "export").With("format", format),
            cancellationToken
        );

    /// <summary>Imports a model as the next version.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="model">A safetensors file that was exported, read from where it is and left open.</param>
    /// <param name="activate">Whether it scores from now on.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<ModelResponse> ImportAsync(
        string category,
        Stream model,
        bool activate = true,
        CancellationToken cancellationToken = default
    ) =>
        _connection.SendAsync(
            HttpMethod.Post,
            new Query("categories", category, "models", "import").With("activate", activate ? "true" : "false"),
            ImageSource.FromStream(model),
            PadimJson.Default.ModelResponse,
            null,
            cancellationToken
        );

    /// <summary>Loads the active model of a category before the first part comes.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<PrefetchResponse> PrefetchAsync(string category, CancellationToken cancellationToken = default) =>
        _connection.SendAsync(
            HttpMethod.Post,
            new Query("categories", category, "prefetch"),
            PadimJson.Default.PrefetchResponse,
            isRepeatable: true,
            cancellationToken
        );
}
