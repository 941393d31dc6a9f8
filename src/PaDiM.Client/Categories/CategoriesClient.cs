using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace PaDiM.Client;

/// <summary>The categories: one product each, as one camera sees it.</summary>
public sealed class CategoriesClient
{
    private readonly Connection _connection;

    internal CategoriesClient(Connection connection) => _connection = connection;

    /// <summary>
    /// Lists the categories that the key may see, by name. Pages are read as the list is gone through.
    /// </summary>
    /// <param name="cancellationToken">Gives up.</param>
    public IAsyncEnumerable<CategoryResponse> ListAsync(CancellationToken cancellationToken = default) =>
        _connection.ListAsync(
            () => new Query("categories"),
            PadimJson.Default.CategoryResponsePage,
            page => (page.Items, page.NextCursor),
            cancellationToken
        );

    /// <summary>Gets a category.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<CategoryResponse> GetAsync(string category, CancellationToken cancellationToken = default) =>
        _connection.GetAsync(new Query("categories", category), PadimJson.Default.CategoryResponse, cancellationToken);

    /// <summary>Creates a category, or replaces the settings of one.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="settings">The settings; members that are null, and null, stand for the defaults.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<CategoryResponse> PutAsync(
        string category,
        CategoryRequest? settings = null,
        CancellationToken cancellationToken = default
    ) =>
        SendAsync(
            HttpMethod.Put,
            category,
            settings ?? new CategoryRequest(),
            PadimJson.Default.CategoryRequest,
            cancellationToken
        );

    /// <summary>Changes some settings of a category.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="settings">The settings to change; members that are null stay.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<CategoryResponse> ChangeAsync(
        string category,
        CategoryRequest settings,
        CancellationToken cancellationToken = default
    ) => SendAsync(HttpMethod.Patch, category, settings, PadimJson.Default.CategoryRequest, cancellationToken);

    /// <summary>
    /// Changes some settings of a category by a merge patch (RFC 7396), in which null resets a setting.
    /// </summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="patch">The patch.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<CategoryResponse> ChangeAsync(
        string category,
        JsonObject patch,
        CancellationToken cancellationToken = default
    ) => SendAsync(HttpMethod.Patch, category, patch, PadimJson.Default.JsonObject, cancellationToken);

    /// <summary>Deletes a category with its images and models.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task DeleteAsync(string category, CancellationToken cancellationToken = default) =>
        _connection.DeleteAsync(new Query("categories", category), cancellationToken);

    /// <summary>Sets the ignore mask: white pixels do not count. It is in force from the next fit on.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="mask">An image of the view of the camera, of any size.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<CategoryResponse> PutIgnoreMaskAsync(
        string category,
        ImageSource mask,
        CancellationToken cancellationToken = default
    ) =>
        _connection.SendAsync(
            HttpMethod.Put,
            new Query("categories", category, "ignore-mask"),
            mask,
            PadimJson.Default.CategoryResponse,
            null,
            cancellationToken
        );

    /// <summary>Gets the ignore mask. Dispose the stream.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<Stream> GetIgnoreMaskAsync(string category, CancellationToken cancellationToken = default) =>
        _connection.DownloadAsync(new Query("categories", category, "ignore-mask"), cancellationToken);

    /// <summary>Removes the ignore mask. It is in force until the next fit.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task DeleteIgnoreMaskAsync(string category, CancellationToken cancellationToken = default) =>
        _connection.DeleteAsync(new Query("categories", category, "ignore-mask"), cancellationToken);

    private Task<CategoryResponse> SendAsync<T>(
        HttpMethod method,
        string category,
        T settings,
        JsonTypeInfo<T> type,
        CancellationToken cancellationToken
    ) =>
        _connection.SendAsync(
            method,
            new Query("categories", category),
            settings,
            type,
            PadimJson.Default.CategoryResponse,
            isRepeatable: true,
            cancellationToken
        );
}
