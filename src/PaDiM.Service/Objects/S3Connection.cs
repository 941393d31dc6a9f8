using System.Net;
using System.Security.Cryptography;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;

namespace PaDiM.Service.Objects;

/// <summary>
/// Sends requests to a bucket: a time limit for each, as long as nothing moves, some attempts with growing random
/// pauses, and one kind of exception when the store is away. Thread-safe.
/// </summary>
internal sealed partial class S3Connection : IDisposable
{
    private const int MostAttempts = 4;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200),
        ConnectTimeout = TimeSpan.FromSeconds(5),
        ConnectionLifetime = TimeSpan.FromMinutes(5),
        // A store that was away a moment ago gets one attempt, so that callers do not queue up behind it.
        AwayFor = TimeSpan.FromSeconds(5),
        AnswerHolds = TimeSpan.FromSeconds(5);

    private readonly AmazonS3Client _client;
    private readonly HttpClient _http;
    private readonly TimeProvider _time;
    private readonly TimeSpan _timeout;
    private readonly ILogger _logger;
    private readonly S3Metrics _metrics;
    private long _skewTicks;
    private long _failedAt;
    private long _answeredAt;
    private int _isAway;

    public S3Connection(S3Options options, S3Metrics metrics, TimeProvider time, ILogger logger)
    {
        _metrics = metrics;
        _time = time;
        _logger = logger;
        _timeout = TimeSpan.FromSeconds(options.TimeoutSeconds);
        Bucket = options.Bucket!;
        Location = $"{options.Endpoint ?? "Amazon S3"}, bucket {Bucket}";
        _http = new HttpClient(
            new Observer(this)
            {
                InnerHandler = new SocketsHttpHandler
                {
                    ConnectTimeout = ConnectTimeout,
                    PooledConnectionLifetime = ConnectionLifetime,
                    AutomaticDecompression = DecompressionMethods.None,
                },
            }
        )
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        var config = new AmazonS3Config
        {
            ForcePathStyle = options.PathStyle ?? options.Endpoint is not null,
            RequestChecksumCalculation =
                options.Checksums == S3Checksums.WhenRequired
                    ? RequestChecksumCalculation.WHEN_REQUIRED
                    : RequestChecksumCalculation.WHEN_SUPPORTED,
            ResponseChecksumValidation =
                options.Checksums == S3Checksums.WhenRequired
                    ? ResponseChecksumValidation.WHEN_REQUIRED
                    : ResponseChecksumValidation.WHEN_SUPPORTED,
            // One retry of its own, with which the SDK adjusts to the clock of the store.
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = 1,
            HttpClientFactory = new OneClient(_http),
        };
        if (options.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint;
            config.AuthenticationRegion = options.Region ?? "us-east-1";
        }
        else if (options.Region is { } region)
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        _client = string.IsNullOrEmpty(options.AccessKeyId)
            ? new AmazonS3Client(config)
            : new AmazonS3Client(new BasicAWSCredentials(options.AccessKeyId, options.SecretAccessKey), config);
    }

    public string Bucket { get; }

    /// <summary>Gets where the objects are, for people.</summary>
    public string Location { get; }

    /// <summary>Gets by how much the clock of the store is ahead of the one of this machine.</summary>
    public TimeSpan Skew => new(Interlocked.Read(ref _skewTicks));

    /// <summary>Gets whether the store did not respond last.</summary>
    public bool IsAway => _isAway == 1;

    /// <summary>Gets whether the store has responded in the last seconds.</summary>
    public bool HasJustAnswered =>
        !IsAway && Interlocked.Read(ref _answeredAt) is not 0 and var at && _time.GetElapsedTime(at) < AnswerHolds;

    /// <summary>Sends a request.</summary>
    /// <exception cref="AmazonS3Exception">The store answers with 404, 409, 412 or 416.</exception>
    /// <exception cref="ObjectStoreAwayException">The store does not respond or refuses the request.</exception>
    public async Task<T> SendAsync<T>(Func<IAmazonS3, S3Attempt, Task<T>> send, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var current = new S3Attempt(_timeout, _time, cancellationToken);
            try
            {
                var result = await send(_client, current);
                RecordAnswer();
                return result;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && IsFailure(e))
            {
                await RecoverAsync(e, attempt, cancellationToken);
            }
        }
    }

    /// <summary>Pauses before the next attempt.</summary>
    /// <exception cref="ObjectStoreAwayException">There is none.</exception>
    public async Task RecoverAsync(Exception failure, int attempt, CancellationToken cancellationToken)
    {
        if (IsRefusal(failure))
        {
            _metrics.RecordFailure(isRefused: true);
            throw new ObjectStoreAwayException(
                $"The object store ({Location}) refuses a request: {GetReason(failure)}",
                isRefused: true,
                failure
            );
        }
        if (attempt >= MostAttempts || WasAwayJustNow)
        {
            Interlocked.Exchange(ref _failedAt, _time.GetTimestamp());
            if (Interlocked.Exchange(ref _isAway, 1) == 0)
                LogAway(Location, GetReason(failure));
            _metrics.RecordFailure(isRefused: false);
            throw new ObjectStoreAwayException(
                $"The object store ({Location}) does not respond: {GetReason(failure)}",
                isRefused: false,
                failure
            );
        }
        await Task.Delay(
            FirstPause * Math.Pow(2, attempt - 1) * (0.5 + (RandomNumberGenerator.GetInt32(1000) / 1000.0)),
            _time,
            cancellationToken
        );
    }

    /// <summary>Records that the store responds.</summary>
    public void RecordAnswer()
    {
        Interlocked.Exchange(ref _answeredAt, _time.GetTimestamp());
        if (_isAway == 1 && Interlocked.Exchange(ref _isAway, 0) == 1)
            LogBack(Location);
    }

    /// <summary>Starts to count the time without progress of a transfer.</summary>
    public S3Attempt StartAttempt(CancellationToken cancellationToken) => new(_timeout, _time, cancellationToken);

    /// <summary>Gets whether an exception is one of the network, the store or the credentials.</summary>
    public static bool IsFailure(Exception exception) =>
        exception switch
        {
            AmazonServiceException answer => answer.StatusCode
                is not (
                    HttpStatusCode.NotFound
                    or HttpStatusCode.PreconditionFailed
                    or HttpStatusCode.RequestedRangeNotSatisfiable
                )
                || answer.ErrorCode == "NoSuchBucket",
            AmazonClientException or HttpRequestException or IOException or OperationCanceledException => true,
            _ => false,
        };

    public void Dispose()
    {
        _client.Dispose();
        _http.Dispose();
    }

    private bool WasAwayJustNow => _isAway == 1 && _time.GetElapsedTime(Interlocked.Read(ref _failedAt)) < AwayFor;

    private static bool IsRefusal(Exception exception) =>
        exception switch
        {
            AmazonServiceException { ErrorCode: "RequestTimeTooSkewed" or "RequestTimeout" or "SlowDown" } => false,
            AmazonServiceException answer => (int)answer.StatusCode
                is >= 300
                    and < 500
                    and not 408
                    and not 409
                    and not 429,
            // No credentials, or none that can be used.
            AmazonClientException { InnerException: null } => true,
            _ => false,
        };

    private static string GetReason(Exception exception) =>
        exception switch
        {
            AmazonServiceException { ErrorCode: { Length: > 0 } code } answer => $"{code}, {answer.Message}",
            OperationCanceledException => "Nothing was received in time.",
            _ => exception.Message,
        };

    [LoggerMessage(Level = LogLevel.Error, Message = "The object store ({Location}) is away: {Reason}")]
    private partial void LogAway(string location, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The object store ({Location}) responds again")]
    private partial void LogBack(string location);

    private sealed class OneClient(HttpClient client) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => client;

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;
    }

    /// <summary>Measures every request, and reads the clock of the store from its answers.</summary>
    private sealed class Observer(S3Connection connection) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            var began = connection._time.GetTimestamp();
            HttpStatusCode? status = null;
            try
            {
                var response = await base.SendAsync(request, cancellationToken);
                status = response.StatusCode;
                if (response.Headers.Date is { } date)
                    Interlocked.Exchange(ref connection._skewTicks, (date - connection._time.GetUtcNow()).Ticks);
                return response;
            }
            finally
            {
                connection._metrics.RecordRequest(request.Method, status, connection._time.GetElapsedTime(began));
            }
        }
    }
}
