using System.Diagnostics.Metrics;
using System.Net;
using System.Runtime.CompilerServices;
using Amazon.S3;
using Amazon.S3.Model;

namespace PaDiM.Service.Objects;

/// <summary>
/// Objects in a bucket of an S3-compatible store. Each has its SHA-256 in its metadata; objects that are read as files
/// have copies on this machine.
/// </summary>
internal sealed partial class S3Objects : IObjectStore, IDisposable
{
    /// <summary>Larger objects are sent in parts of this size.</summary>
    private const long PartBytes = 64L << 20;

    private const int ParallelParts = 3;
    private const string HashName = "sha256";

    /// <summary>The object that is put at start to see whether the bucket can be used.</summary>
    private const string ProbeKey = "padim-objects";

    private readonly S3Connection _connection;
    private readonly LocalCopies _copies;
    private readonly S3Sweep _sweep;
    private readonly string _prefix;
    private readonly ILogger<S3Objects> _logger;
    private readonly Lock _checking = new();
    private Task? _check;

    public S3Objects(
        ObjectOptions options,
        string copies,
        IMeterFactory meters,
        TimeProvider time,
        ILogger<S3Objects> logger
    )
    {
        _logger = logger;
        _prefix = string.IsNullOrEmpty(options.S3.Prefix) ? "" : options.S3.Prefix + "/";
        _copies = new LocalCopies(copies, options.ModelFileCacheBytes, time);
        _connection = new S3Connection(
            options.S3,
            new S3Metrics(meters, () => !_connection!.IsAway, _copies),
            time,
            logger
        );
        _sweep = new S3Sweep(_connection, _prefix, time);
    }

    public bool IsLocal => false;

    public bool HasCopies => _copies.Bytes > 0;

    /// <summary>One request for all who ask, which goes on when they no longer wait.</summary>
    public Task CheckAsync()
    {
        if (_connection.HasJustAnswered)
            return Task.CompletedTask;
        lock (_checking)
            return _check is { IsCompleted: false } running
                ? running
                : _check = Task.Run(() => FindAsync(ProbeKey, CancellationToken.None).AsTask());
    }

    /// <summary>
    /// Puts a small object, twice, on the condition that there is none: whether the bucket exists, whether the
    /// credentials may write, and whether the store knows conditions.
    /// </summary>
    /// <exception cref="InvalidDataException">The store refuses the settings.</exception>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        try
        {
            var isConditional = false;
            for (var i = 0; i < 2 && !isConditional; i++)
                isConditional = !await TryCreateAsync(
                    ProbeKey,
                    "Objects of PaDiM.Service: images/ and models/."u8.ToArray(),
                    cancellationToken
                );
            _sweep.IsConditional = isConditional;
            if (!isConditional)
                LogUnconditional(_connection.Location);
        }
        catch (ObjectStoreAwayException e) when (e.IsRefused)
        {
            throw new InvalidDataException(
                $"{e.Message} The service needs a bucket that exists, and credentials that may get, put, list and "
                    + "delete objects in it (Padim:S3).",
                e
            );
        }
        catch (ObjectStoreAwayException)
        {
            // Logged already. Models that have copies on this machine can score.
        }
    }

    public async ValueTask<StoredObject?> FindAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            var found = await _connection.SendAsync(
                (client, attempt) =>
                    client.GetObjectMetadataAsync(
                        new GetObjectMetadataRequest { BucketName = _connection.Bucket, Key = _prefix + key },
                        attempt.Token
                    ),
                cancellationToken
            );
            return new StoredObject(
                key,
                found.ContentLength,
                ToLocal(found.LastModified),
                found.Metadata.Keys.Contains($"x-amz-meta-{HashName}") ? found.Metadata[HashName] : null
            );
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>A look would be a request; damaged objects are read again every minute.</summary>
    public FileStamp GetStamp(string key) => default;

    public async ValueTask<byte[]> ReadAsync(string key, CancellationToken cancellationToken)
    {
        await using var stream = await OpenAsync(key, cancellationToken);
        var bytes = new byte[stream.Length];
        await stream.ReadExactlyAsync(bytes, cancellationToken);
        return bytes;
    }

    public async ValueTask<Stream> OpenAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return await S3Download.OpenAsync(_connection, _prefix + key, cancellationToken);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            throw CreateMissing(key, e);
        }
    }

    public async ValueTask<FileStream> OpenFileAsync(string key, string? sha256, CancellationToken cancellationToken)
    {
        sha256 ??=
            (await FindAsync(key, cancellationToken) ?? throw CreateMissing(key, null)).Sha256
            ?? throw new InvalidDataException($"The stored object {key} has no hash in its metadata.");
        return await _copies.OpenAsync(
            sha256,
            async file =>
            {
                await using var stream = await OpenAsync(key, CancellationToken.None);
                await stream.CopyToAsync(file, CancellationToken.None);
            },
            cancellationToken
        );
    }

    public bool DropCopy(string sha256) => _copies.Drop(sha256);

    public async ValueTask PutAsync(
        string key,
        ReadOnlyMemory<byte> bytes,
        string sha256,
        CancellationToken cancellationToken
    )
    {
        // Always sent: to put the same bytes again renews and repairs them, and a look first would cost as much.
        do await PutAsync(key, () => new MemoryStream(bytes.ToArray()), sha256, mustBeNew: false, cancellationToken);
        while (await _sweep.MayHaveDeletedAsync(key, cancellationToken));
    }

    public async ValueTask<(long Bytes, string Sha256)> WriteAsync(
        string key,
        Func<Stream, Task> write,
        bool replace,
        CancellationToken cancellationToken
    ) =>
        await _copies.AddAsync(
            write,
            async (path, bytes, sha256) =>
            {
                if (bytes > PartBytes)
                    await UploadPartsAsync(key, path, bytes, sha256, cancellationToken);
                else if (
                    !await PutAsync(key, () => File.OpenRead(path), sha256, !replace, cancellationToken)
                    // An attempt whose answer was lost may have stored it.
                    && (await FindAsync(key, cancellationToken))?.Sha256 != sha256
                )
                    throw new IOException($"The object store has another object with the key {key}.");
            }
        );

    public async ValueTask<bool> RenewAsync(string key, CancellationToken cancellationToken)
    {
        if (await FindAsync(key, cancellationToken) is not { } found)
            return false;
        try
        {
            // A copy onto itself has a new time stamp, and moves no bytes.
            var request = new CopyObjectRequest
            {
                SourceBucket = _connection.Bucket,
                SourceKey = _prefix + key,
                DestinationBucket = _connection.Bucket,
                DestinationKey = _prefix + key,
                MetadataDirective = S3MetadataDirective.REPLACE,
            };
            if (found.Sha256 is { } sha256)
                request.Metadata[HashName] = sha256;
            await _connection.SendAsync(
                (client, attempt) => client.CopyObjectAsync(request, attempt.Token),
                cancellationToken
            );
            return true;
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    public async IAsyncEnumerable<StoredObject> ListAsync(
        string prefix,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        string? next = null;
        do
        {
            var request = new ListObjectsV2Request
            {
                BucketName = _connection.Bucket,
                Prefix = _prefix + prefix,
                ContinuationToken = next,
            };
            var page = await _connection.SendAsync(
                (client, attempt) => client.ListObjectsV2Async(request, attempt.Token),
                cancellationToken
            );
            foreach (var found in page.S3Objects ?? [])
                yield return new StoredObject(
                    found.Key[_prefix.Length..],
                    found.Size ?? 0,
                    ToLocal(found.LastModified)
                );
            next = page.IsTruncated is true ? page.NextContinuationToken : null;
        } while (next is not null);
    }

    public async ValueTask DeleteAsync(string key, CancellationToken cancellationToken) =>
        await _sweep.DeleteAsync(key, cancellationToken);

    public async ValueTask<int> SweepAsync(
        IReadOnlyCollection<string> keys,
        DateTime before,
        Func<CancellationToken, Task<Predicate<string>>> getReferenced,
        CancellationToken cancellationToken
    )
    {
        // The store was away at start.
        if (_sweep.IsConditional is null)
            await PrepareAsync(cancellationToken);
        return await _sweep.RunAsync(keys, before, getReferenced, cancellationToken);
    }

    public void Dispose() => _connection.Dispose();

    private async Task<bool> TryCreateAsync(string key, byte[] bytes, CancellationToken cancellationToken) =>
        await PutAsync(key, () => new MemoryStream(bytes), null, mustBeNew: true, cancellationToken);

    /// <summary>Puts an object in one request. Returns false if it must be new and is not.</summary>
    private async Task<bool> PutAsync(
        string key,
        Func<Stream> open,
        string? sha256,
        bool mustBeNew,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await _connection.SendAsync(
                async (client, attempt) =>
                {
                    await using var content = open();
                    await using var watched = attempt.Watch(content);
                    var request = new PutObjectRequest
                    {
                        BucketName = _connection.Bucket,
                        Key = _prefix + key,
                        InputStream = watched,
                        AutoCloseStream = false,
                        // The signature covers the bytes, so the store verifies them.
                        UseChunkEncoding = false,
                        IfNoneMatch = mustBeNew ? "*" : null,
                    };
                    if (sha256 is not null)
                        request.Metadata[HashName] = sha256;
                    return await client.PutObjectAsync(request, attempt.Token);
                },
                cancellationToken
            );
            return true;
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.PreconditionFailed)
        {
            return false;
        }
    }

    /// <summary>
    /// Sends a large file in parts. There is no condition at the end, which some stores ignore: the key was never used
    /// before, and readers compare the hash.
    /// </summary>
    private async Task UploadPartsAsync(
        string key,
        string path,
        long bytes,
        string sha256,
        CancellationToken cancellationToken
    )
    {
        var begin = new InitiateMultipartUploadRequest { BucketName = _connection.Bucket, Key = _prefix + key };
        begin.Metadata[HashName] = sha256;
        var upload = await _connection.SendAsync(
            (client, attempt) => client.InitiateMultipartUploadAsync(begin, attempt.Token),
            cancellationToken
        );
        try
        {
            var parts = new PartETag[(bytes + PartBytes - 1) / PartBytes];
            await Parallel.ForAsync(
                0,
                parts.Length,
                new ParallelOptions { MaxDegreeOfParallelism = ParallelParts, CancellationToken = cancellationToken },
                async (i, token) =>
                    parts[i] = await UploadPartAsync(
                        upload,
                        path,
                        i,
                        Math.Min(PartBytes, bytes - (i * PartBytes)),
                        token
                    )
            );
            await _connection.SendAsync(
                (client, attempt) =>
                    client.CompleteMultipartUploadAsync(
                        new CompleteMultipartUploadRequest
                        {
                            BucketName = _connection.Bucket,
                            Key = _prefix + key,
                            UploadId = upload.UploadId,
                            PartETags = [.. parts],
                        },
                        attempt.Token
                    ),
                cancellationToken
            );
        }
        catch (AmazonS3Exception e) when (e.ErrorCode == "NoSuchUpload")
        {
            // The answer to an attempt that completed it was lost.
            if ((await FindAsync(key, cancellationToken))?.Sha256 != sha256)
                throw new IOException($"The object store lost the parts of {key}.", e);
        }
        catch
        {
            await AbortAsync(upload);
            throw;
        }
    }

    private Task<PartETag> UploadPartAsync(
        InitiateMultipartUploadResponse upload,
        string path,
        int index,
        long bytes,
        CancellationToken cancellationToken
    ) =>
        _connection.SendAsync(
            async (client, attempt) =>
            {
                await using var file = new FileSection(path, index * PartBytes, bytes);
                await using var watched = attempt.Watch(file);
                var sent = await client.UploadPartAsync(
                    new UploadPartRequest
                    {
                        BucketName = _connection.Bucket,
                        Key = upload.Key,
                        UploadId = upload.UploadId,
                        PartNumber = index + 1,
                        InputStream = watched,
                        PartSize = bytes,
                        UseChunkEncoding = false,
                    },
                    attempt.Token
                );
                return new PartETag(index + 1, sent.ETag);
            },
            cancellationToken
        );

    private async Task AbortAsync(InitiateMultipartUploadResponse upload)
    {
        try
        {
            await _connection.SendAsync(
                (client, attempt) =>
                    client.AbortMultipartUploadAsync(_connection.Bucket, upload.Key, upload.UploadId, attempt.Token),
                CancellationToken.None
            );
        }
        catch (Exception e) when (e is ObjectStoreAwayException or AmazonS3Exception)
        {
            // A lifecycle rule of the bucket removes what is left.
            LogAbandoned(upload.Key);
        }
    }

    /// <summary>Expresses a time of the store by the clock of this machine.</summary>
    private DateTime ToLocal(DateTime? at) =>
        at is { } known ? known.ToUniversalTime() - _connection.Skew : DateTime.MaxValue;

    private static FileNotFoundException CreateMissing(string key, Exception? inner) =>
        new($"The object store has no object {key}.", key, inner);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The object store ({Location}) does not know conditions (If-None-Match): unreferenced objects stay, "
            + "because replicas could not agree on who deletes them"
    )]
    private partial void LogUnconditional(string location);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Parts of {Key} were left in the object store")]
    private partial void LogAbandoned(string key);
}
