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
public sealed partial class PadimClient : IDisposable
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
    }

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

    /// <summary>Closes the connections, if they are the client's own.</summary>
    public void Dispose() => _http.Dispose();

    private static PadimClientOptions Check(PadimClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.FindFault() is { } fault ? throw new ArgumentException(fault, nameof(options)) : options;
    }
}
