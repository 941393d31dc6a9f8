using System.Net.Http.Headers;

namespace PaDiM.Client;

/// <summary>
/// A client of PaDiM.Service, safe for use by many threads. Keep one for the life of the program, or let
/// <see cref="PadimServices"/> manage it. All methods throw a <see cref="PadimException"/> if the service reports a
/// problem or does not answer.
/// </summary>
/// <example>
/// <code>
/// using var client = new PadimClient(new Uri("http://localhost:8080"), key);
///
/// var score = await client.ScoreAsync("flange", ImageSource.FromFile("part.png"));
/// Console.WriteLine($"{score.Decision} {score.Score:0.000} of {score.Threshold:0.000}");
///
/// // Bytes, memory, streams and raw pixels are images too.
/// await client.ScoreAsync("flange", bytes);
/// await client.ScoreAsync("flange", stream);
/// await client.ScoreAsync("flange", new RawFrame(buffer, 640, 480, PixelFormat.Bgr24));
///
/// try
/// {
///     var options = new ScoreOptions { PartId = "SN-004711", Deadline = TimeSpan.FromMilliseconds(200) };
///     await client.ScoreAsync("flange", bytes, options);
/// }
/// catch (PadimException problem) when (problem.Code == PadimErrorCodes.DeadlinePassed)
/// {
///     // The part has passed the ejector.
/// }
/// </code>
/// </example>
public sealed class PadimClient : IDisposable
{
    private static readonly ScoreOptions DefaultScore = new();
    private readonly HttpClient _http;
    private readonly Connection _connection;

    /// <summary>Creates a client with connections of its own.</summary>
    /// <param name="address">Address of the service; a path is kept.</param>
    /// <param name="key">The key; null for a service without keys.</param>
    /// <exception cref="ArgumentException">The address is not absolute, or not http or https.</exception>
    public PadimClient(Uri address, string? key = null)
        : this(new PadimClientOptions { Address = address, Key = key }) { }

    /// <summary>Creates a client with connections of its own.</summary>
    /// <param name="options">The settings, which must not change from here on.</param>
    /// <exception cref="ArgumentException">A setting is missing or out of bounds.</exception>
    public PadimClient(PadimClientOptions options)
        : this(Check(options), Handlers.Create(options, TimeProvider.System, null), TimeProvider.System) { }

    internal PadimClient(PadimClientOptions options, HttpMessageHandler handler, TimeProvider time)
        : this(new HttpClient(handler), options, time) { }

    /// <summary>Creates a client over one of the factory's.</summary>
    internal PadimClient(HttpClient http, PadimClientOptions options, TimeProvider time)
    {
        _http = http;
        http.BaseAddress = options.GetBaseAddress();
        http.Timeout = Timeout.InfiniteTimeSpan;
        http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("PaDiM.Client", Handlers.Version));
        if (!string.IsNullOrEmpty(options.Key))
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", options.Key);
        _connection = new Connection(http, options, time);
        Categories = new CategoriesClient(_connection);
        Images = new ImagesClient(_connection);
        Datasets = new DatasetsClient(_connection);
        Jobs = new JobsClient(_connection, time);
        Fits = new FitsClient(_connection, Jobs);
        Models = new ModelsClient(_connection);
        Thresholds = new ThresholdsClient(_connection);
        Evaluations = new EvaluationsClient(_connection);
        Inspections = new InspectionsClient(_connection);
        Shadows = new ShadowsClient(_connection);
        Lookbacks = new LookbacksClient(_connection);
        Sinks = new SinksClient(_connection);
        Keys = new KeysClient(_connection);
        Server = new ServerClient(_connection);
    }

    /// <summary>Gets the categories: create, change, list and delete.</summary>
    public CategoriesClient Categories { get; }

    /// <summary>Gets the images of categories: upload, list, relabel and delete.</summary>
    public ImagesClient Images { get; }

    /// <summary>Gets whole data sets: change or delete many images, export and import archives.</summary>
    public DatasetsClient Datasets { get; }

    /// <summary>Gets the fits: start one, and wait for its model.</summary>
    public FitsClient Fits { get; }

    /// <summary>Gets the jobs: list, follow, wait for and cancel.</summary>
    public JobsClient Jobs { get; }

    /// <summary>Gets the models: list, activate, export and import.</summary>
    public ModelsClient Models { get; }

    /// <summary>Gets the thresholds: preview a change, and make it.</summary>
    public ThresholdsClient Thresholds { get; }

    /// <summary>Gets the evaluations: what models find and miss.</summary>
    public EvaluationsClient Evaluations { get; }

    /// <summary>Gets the inspections that the service keeps: search, verdicts, figures.</summary>
    public InspectionsClient Inspections { get; }

    /// <summary>Gets the candidates that score in the shadow of the active version.</summary>
    public ShadowsClient Shadows { get; }

    /// <summary>Gets the lookbacks: what another threshold or version would have decided.</summary>
    public LookbacksClient Lookbacks { get; }

    /// <summary>Gets the sinks: where inspections are sent on to.</summary>
    public SinksClient Sinks { get; }

    /// <summary>Gets the keys, and the audit trail of what was changed with them.</summary>
    public KeysClient Keys { get; }

    /// <summary>Gets the service itself: version, memory, backbones, checks of its files.</summary>
    public ServerClient Server { get; }

    /// <summary>Scores one image.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="image">The image: a file, bytes, a stream or raw pixels.</param>
    /// <param name="options">What to score with, what to add, and a deadline; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The score, the decision and the regions that stand out.</returns>
    /// <exception cref="PadimException">The service reported a problem, or did not answer.</exception>
    public Task<ScoreResponse> ScoreAsync(
        string category,
        ImageSource image,
        ScoreOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        var (request, traits) = ScoreRequests.Create(category, image, options ?? DefaultScore, null);
        return _connection.SendAsync(request, traits, PadimJson.Default.ScoreResponse, cancellationToken);
    }

    /// <summary>Scores one image, and gets a picture of the result as a stream.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="image">The image: a file, bytes, a stream or raw pixels.</param>
    /// <param name="format">The form of the picture.</param>
    /// <param name="options">With <see cref="ScoreOptions.Heatmap"/> the heatmap alone, or the mask; null for the
    /// heatmap over the image.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The picture, to be disposed.</returns>
    /// <exception cref="PadimException">The service reported a problem, or did not answer.</exception>
    public async Task<ScoredPicture> ScorePictureAsync(
        string category,
        ImageSource image,
        PictureFormat format = PictureFormat.Png,
        ScoreOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        var accept = format switch
        {
            PictureFormat.Png => "image/png",
            PictureFormat.Jpeg => "image/jpeg",
            PictureFormat.WebP => "image/webp",
            PictureFormat.Npy => "application/x-npy",
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
        };
        var (request, traits) = ScoreRequests.Create(category, image, options ?? DefaultScore, accept);
        using var sent = request;
        var response = await _connection
            .OpenAsync(request, traits with { IsBuffered = false }, cancellationToken)
            .ConfigureAwait(false);
        return new ScoredPicture(
            response,
            await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false)
        );
    }

    /// <summary>Scores many images in one request, behind all single ones.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="images">The images: at most as many as the service takes, 256 by default. Raw pixels must all have
    /// one size and format.</param>
    /// <param name="options">What to score with, what to add, and a deadline; null for the defaults. Each file's name
    /// stands for its part.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>A result or an error for each image, in their order.</returns>
    /// <exception cref="ArgumentException">Raw pixels differ in size or format, or are mixed with files.</exception>
    /// <exception cref="PadimException">The request failed as a whole.</exception>
    public async Task<IReadOnlyList<BatchItem>> ScoreBatchAsync(
        string category,
        IReadOnlyList<ImageSource> images,
        ScoreOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        var (request, traits) = ScoreRequests.CreateBatch(category, images, options ?? DefaultScore);
        var answer = await _connection
            .SendAsync(request, traits, PadimJson.Default.BatchResponse, cancellationToken)
            .ConfigureAwait(false);
        return answer.Results;
    }

    /// <summary>Closes the connections, if they are the client's own.</summary>
    public void Dispose() => _http.Dispose();

    private static PadimClientOptions Check(PadimClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.FindFault() is { } fault ? throw new ArgumentException(fault, nameof(options)) : options;
    }
}
