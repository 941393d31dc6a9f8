using System.ComponentModel.DataAnnotations;
using PaDiM.Engine.Inference;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Http;

namespace PaDiM.Service.Hosting;

/// <summary>The settings of the service, section <c>Padim</c>. Checked when the program starts.</summary>
internal sealed class PadimOptions : IValidatableObject
{
    public const string Section = "Padim";

    /// <summary>
    /// Database, images and statistics; created when absent. A relative path counts from the working directory.
    /// </summary>
    [Required]
    public string DataDirectory { get; set; } = "data";

    /// <summary>Searched for <c>NAME.onnx</c> after the built-in directory, in order.</summary>
    public string[] BackboneDirectories { get; set; } = [];

    /// <summary>Backbone of categories that name none.</summary>
    [Required]
    public string DefaultBackbone { get; set; } = BackboneRegistry.DefaultName;

    /// <summary>Where backbones run.</summary>
    public DevicePreference Device { get; set; }

    /// <summary>With CUDA, let TensorRT take the parts of graphs that it can.</summary>
    public bool TensorRt { get; set; }

    /// <summary>Threads of inference and of the kernels around it; 0 for one a core.</summary>
    [Range(0, 1024)]
    public int Threads { get; set; }

    /// <summary>How log lines look.</summary>
    public LogFormat LogFormat { get; set; }

    /// <summary>Largest width times height of an image, read off its header or off the query of raw pixels.</summary>
    [Range(1024, int.MaxValue)]
    public long MaxPixels { get; set; } = ImageDecoder.DefaultMaxPixels;

    /// <summary>
    /// How long the decoding of an image of up to 8 megapixels may take, in milliseconds, and of a larger one in
    /// proportion. Images that are stored are not bound by it.
    /// </summary>
    [Range(10, 600_000)]
    public int DecodeTimeoutMs { get; set; } = 2000;

    /// <summary>
    /// Memory for all images that are decoded at a time, in bytes, at 10 a pixel; where it is short, some wait.
    /// </summary>
    [Range(1 << 20, long.MaxValue)]
    public long DecodeMemoryBytes { get; set; } = 1L << 30;

    /// <summary>Largest encoded image, in bytes. Raw pixels are bound by <see cref="MaxPixels"/> alone.</summary>
    [Range(1024, int.MaxValue / 2)]
    public int MaxImageBytes { get; set; } = 64 << 20;

    /// <summary>Largest body of an upload of many images or of a model, in bytes.</summary>
    [Range(1024, long.MaxValue)]
    public long MaxUploadBytes { get; set; } = 4L << 30;

    /// <summary>Most images in one batch to be scored.</summary>
    [Range(1, 100_000)]
    public int MaxBatchFiles { get; set; } = 256;

    /// <summary>
    /// Images under way, from their last byte to their answer; one more is answered with 503. Those of batches hold
    /// half of them at most.
    /// </summary>
    [Range(1, 100_000)]
    public int QueueCapacity { get; set; } = 64;

    /// <summary>Most images that pass through the backbone together.</summary>
    [Range(1, 256)]
    public int MaxBatchSize { get; set; } = 8;

    /// <summary>
    /// How long an image may wait for its batch to fill, in milliseconds; 0 to go through with what is there. Worth it
    /// on a GPU, where a batch costs little more than an image.
    /// </summary>
    [Range(0, 1000)]
    public int MaxBatchWaitMs { get; set; }

    /// <summary>Connections at a time; one more is closed at once.</summary>
    [Range(1, 1_000_000)]
    public int MaxConnections { get; set; } = 10_000;

    /// <summary>Clients that follow jobs by server-sent events at a time; one more is answered with 503.</summary>
    [Range(1, 100_000)]
    public int MaxEventStreams { get; set; } = 256;

    /// <summary>Jobs that this process runs at a time; 0 for a replica that only scores.</summary>
    [Range(0, 64)]
    public int JobWorkers { get; set; } = 1;

    /// <summary>Jobs that may wait; one more is answered with 503.</summary>
    [Range(1, 1_000_000)]
    public int JobQueueCapacity { get; set; } = 1000;

    /// <summary>How long a job stays with a worker that is no longer heard of, in seconds.</summary>
    [Range(3, 3600)]
    public int JobLeaseSeconds { get; set; } = 30;

    /// <summary>
    /// Memory for models that are ready to score, in bytes, the host's and the device's together; the least recently
    /// used make room.
    /// </summary>
    [Range(1 << 20, long.MaxValue)]
    public long ModelCacheBytes { get; set; } = 4L << 30;

    /// <summary>
    /// How long the service goes on listening after SIGTERM, in seconds, while readiness answers 503: time for a load
    /// balancer to notice.
    /// </summary>
    [Range(0, 600)]
    public int DrainSeconds { get; set; }

    /// <summary>
    /// Free bytes of the disk below which nothing new is stored: uploads, imports, fits and evaluations are answered
    /// with 507. The rest is for the database; scoring needs none.
    /// </summary>
    [Range(0, long.MaxValue)]
    public long MinFreeBytes { get; set; } = 256L << 20;

    /// <summary>Age from which on files that no row speaks of are removed, in minutes.</summary>
    [Range(1, 100_000)]
    public int OrphanGraceMinutes { get; set; } = 5;

    /// <summary>
    /// Hours between two scrubs, which read every stored file and compare it with its hash; 0 for none but those asked
    /// for.
    /// </summary>
    [Range(0, 100_000)]
    public int ScrubHours { get; set; } = 24;

    /// <summary>How fast a scrub reads, in megabytes a second; 0 for as fast as it can.</summary>
    [Range(0, 1_000_000)]
    public int ScrubMegabytesPerSecond { get; set; } = 50;

    /// <summary>Days after which an embedding that no fit has read goes; a later fit reads its image again.</summary>
    [Range(1, 100_000)]
    public int EmbeddingCacheDays { get; set; } = 30;

    /// <summary>Whether requests need a key or a token.</summary>
    public AccessMode Access { get; set; }

    /// <summary>The identity provider whose tokens are taken beside keys.</summary>
    public OidcOptions Oidc { get; set; } = new();

    /// <summary>
    /// Proxies whose word is taken for where a request comes from: addresses, or networks such as <c>10.1.0.0/16</c>.
    /// </summary>
    public string[] KnownProxies { get; set; } = [];

    /// <summary>
    /// Requests a minute of one key, token or, where access is open, address; one more gets 429. 0 for no limit.
    /// </summary>
    [Range(0, 10_000_000)]
    public int RequestsPerMinute { get; set; }

    /// <summary>
    /// Requests a minute and address with wrong credentials or none that get 401; one more gets 429. 0 for no limit.
    /// </summary>
    [Range(0, 1_000_000)]
    public int FailedAttemptsPerMinute { get; set; } = 60;

    /// <summary>Days that entries of the audit trail are kept.</summary>
    [Range(1, 100_000)]
    public int AuditDays { get; set; } = 400;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var proxy in KnownProxies)
            if (!Proxies.TryParse(proxy, out _))
                yield return new ValidationResult(
                    $"KnownProxies holds '{proxy}', which is neither an address nor a network such as 10.1.0.0/16.",
                    [nameof(KnownProxies)]
                );
        if (Oidc.FindFault() is { } fault)
            yield return new ValidationResult(fault, [nameof(Oidc)]);
    }
}

/// <summary>Whether requests need a key or a token.</summary>
internal enum AccessMode
{
    /// <summary>
    /// From the first key on, or with an identity provider; before that the service serves its own machine only.
    /// </summary>
    Auto,

    /// <summary>Always.</summary>
    Required,

    /// <summary>Never: whoever reaches the service may do everything.</summary>
    Open,
}

/// <summary>An identity provider (OpenID Connect).</summary>
internal sealed class OidcOptions
{
    /// <summary>Its address, below which <c>.well-known/openid-configuration</c> lies; none for keys alone.</summary>
    public string? Authority { get; set; }

    /// <summary>What tokens must be meant for.</summary>
    public string? Audience { get; set; }

    /// <summary>The claim that holds <c>score</c>, <c>train</c> or <c>admin</c>.</summary>
    [Required]
    public string ScopeClaim { get; set; } = "scope";

    /// <summary>The claim that holds the only categories; all where a token has none.</summary>
    [Required]
    public string CategoriesClaim { get; set; } = "padim_categories";

    public bool IsConfigured => !string.IsNullOrEmpty(Authority);

    /// <summary>
    /// What is wrong with it, or null. Over plain http anyone between could sign tokens; on the machine itself there is
    /// no between.
    /// </summary>
    public string? FindFault() =>
        !IsConfigured ? null
        : !Uri.TryCreate(Authority, UriKind.Absolute, out var address)
        || (address.Scheme != Uri.UriSchemeHttps && !(address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
            ? "Oidc:Authority must be an https address."
        : string.IsNullOrEmpty(Audience)
            ? "Oidc:Audience must say what tokens are meant for; without it, a token for any other service would do."
        : null;
}

/// <summary>How log lines look.</summary>
internal enum LogFormat
{
    /// <summary>Lines for people.</summary>
    Plain,

    /// <summary>One JSON object a line.</summary>
    Json,
}
