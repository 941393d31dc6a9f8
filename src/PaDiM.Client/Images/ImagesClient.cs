using System.Runtime.CompilerServices;

namespace PaDiM.Client;

/// <summary>The images of categories.</summary>
public sealed class ImagesClient
{
    private readonly Connection _connection;

    internal ImagesClient(Connection connection) => _connection = connection;

    /// <summary>
    /// Uploads images, up to 64 files or 64 MiB a request. The next request begins as its results are taken. Images
    /// that are stored already are recognised, so an upload that was broken off can be repeated from the beginning.
    /// </summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="images">The images; taken as they are needed.</param>
    /// <param name="options">What they show; null for good parts.</param>
    /// <param name="progress">Told of every piece that is sent; null for none.</param>
    /// <param name="cancellationToken">Gives up. What the service has answered for is stored.</param>
    /// <returns>What became of each file: of each request the stored ones, then the refused ones.</returns>
    /// <exception cref="PadimException">A request failed as a whole.</exception>
    public async IAsyncEnumerable<UploadResult> UploadAsync(
        string category,
        IEnumerable<ImageSource> images,
        UploadOptions? options = null,
        IProgress<UploadProgress>? progress = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(images);
        var results = UploadAsync(category, images.ToAsyncEnumerable(), options, progress, cancellationToken);
        await foreach (var result in results.ConfigureAwait(false))
            yield return result;
    }

    /// <inheritdoc cref="UploadAsync(string, IEnumerable{ImageSource}, UploadOptions, IProgress{UploadProgress}, CancellationToken)"/>
    public async IAsyncEnumerable<UploadResult> UploadAsync(
        string category,
        IAsyncEnumerable<ImageSource> images,
        UploadOptions? options = null,
        IProgress<UploadProgress>? progress = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(images);
        var count = new Count(progress);
        var batch = new UploadBatch();
        await foreach (var image in images.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            if (batch.TryAdd(image))
                continue;
            foreach (
                var result in await SendAsync(category, batch, options, count, cancellationToken).ConfigureAwait(false)
            )
                yield return result;
            batch = new UploadBatch();
            batch.TryAdd(image);
        }
        if (batch.Files.Count > 0)
            foreach (
                var result in await SendAsync(category, batch, options, count, cancellationToken).ConfigureAwait(false)
            )
                yield return result;
    }

    /// <summary>Uploads one image.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="image">The image.</param>
    /// <param name="options">What it shows; null for a good part.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The stored image.</returns>
    /// <exception cref="PadimException">The image is refused, with the code of its error.</exception>
    public async Task<AcceptedImage> UploadAsync(
        string category,
        ImageSource image,
        UploadOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(image);
        var batch = new UploadBatch();
        batch.TryAdd(image);
        var results = await SendAsync(category, batch, options, new Count(null), cancellationToken)
            .ConfigureAwait(false);
        var result = results.FirstOrDefault();
        return result?.Image
            ?? throw new PadimException(
                result?.Error?.Code ?? PadimErrorCodes.UnexpectedAnswer,
                400,
                result?.Error?.Detail ?? "The service says nothing about the image."
            );
    }

    /// <summary>Lists images, newest first. Pages are read as the list is gone through.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="label">Only with this label; null for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public IAsyncEnumerable<ImageResponse> ListAsync(
        string category,
        ImageLabel? label = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.ListAsync(
            () => Path(category).With("label", label),
            PadimJson.Default.ImageResponsePage,
            page => (page.Items, page.NextCursor),
            cancellationToken
        );

    /// <summary>Gets the bytes of an image as they were uploaded. Dispose the stream.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="id">Identifier of the image.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<Stream> GetAsync(string category, string id, CancellationToken cancellationToken = default) =>
        _connection.DownloadAsync(new Query("categories", category, "images", id), cancellationToken);

    /// <summary>Gets a small JPEG of an image. Dispose the stream.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="id">Identifier of the image.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<Stream> GetThumbnailAsync(string category, string id, CancellationToken cancellationToken = default) =>
        _connection.DownloadAsync(new Query("categories", category, "images", id, "thumbnail"), cancellationToken);

    /// <summary>Changes what an image shows.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="id">Identifier of the image.</param>
    /// <param name="settings">What to change; members that are null stay.</param>
    /// <param name="dropMasks">Whether to remove the mask of an image that becomes normal.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<ImageResponse> ChangeAsync(
        string category,
        string id,
        ImageSettings settings,
        bool dropMasks = false,
        CancellationToken cancellationToken = default
    ) =>
        _connection.SendAsync(
            HttpMethod.Patch,
            new Query("categories", category, "images", id).With("dropMasks", dropMasks),
            settings,
            PadimJson.Default.ImageSettings,
            PadimJson.Default.ImageResponse,
            isRepeatable: true,
            cancellationToken
        );

    /// <summary>Deletes an image. Models that were fitted to it stay.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="id">Identifier of the image.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task DeleteAsync(string category, string id, CancellationToken cancellationToken = default) =>
        _connection.DeleteAsync(new Query("categories", category, "images", id), cancellationToken);

    private static Query Path(string category) => new("categories", category, "images");

    private async Task<IEnumerable<UploadResult>> SendAsync(
        string category,
        UploadBatch batch,
        UploadOptions? options,
        Count count,
        CancellationToken cancellationToken
    )
    {
        var path = Path(category)
            .With("label", options?.Label)
            .With("defect", options?.Defect)
            .With("heldOut", options?.HeldOut ?? false)
            .With("width", batch.Frame?.Width)
            .With("height", batch.Frame?.Height)
            .With("format", batch.Frame?.Format)
            .With("significantBits", options?.SignificantBits);
        var request = new HttpRequestMessage(HttpMethod.Post, path.ToString())
        {
            Content = ProgressContent.Wrap(batch.CreateForm(), count.Begin()),
        };
        var traits = new RequestTraits
        {
            IsRepeatable = true,
            CanSendAgain = batch.CanSendAgain,
            IsTransfer = true,
        };
        try
        {
            var answer = await _connection
                .SendAsync(request, traits, PadimJson.Default.UploadResponse, cancellationToken)
                .ConfigureAwait(false);
            count.End(batch.Files.Count);
            return answer
                .Accepted.Select(image => new UploadResult(image.FileName, image, null))
                .Concat(answer.Rejected.Select(file => new UploadResult(file.FileName, null, file)));
        }
        catch (PadimException problem) when (problem.Errors.Count > 0)
        {
            count.End(batch.Files.Count);
            return problem.Errors.Select(file => new UploadResult(file.FileName, null, file));
        }
    }

    /// <summary>Counts over all requests of an upload.</summary>
    private sealed class Count(IProgress<UploadProgress>? progress) : IProgress<long>
    {
        private long _before,
            _now;
        private int _files;

        public Count? Begin()
        {
            (_before, _now) = (_before + _now, 0);
            return progress is null ? null : this;
        }

        public void Report(long value)
        {
            _now = value;
            progress?.Report(new UploadProgress(_files, _before + _now));
        }

        public void End(int files)
        {
            _files += files;
            progress?.Report(new UploadProgress(_files, _before + _now));
        }
    }
}
