using System.Net;
using Amazon.S3;
using Amazon.S3.Model;

namespace PaDiM.Service.Objects;

/// <summary>Reads an object once. Where a connection breaks, another one continues from there.</summary>
internal sealed class S3Download : Stream
{
    private readonly S3Connection _connection;
    private readonly string _key;
    private readonly string? _tag;
    private readonly long _length;
    private GetObjectResponse? _response;
    private long _position;
    private int _failures;

    private S3Download(S3Connection connection, string key, GetObjectResponse? response)
    {
        _connection = connection;
        _key = key;
        _response = response;
        _tag = response?.ETag;
        _length = response?.ContentLength ?? 0;
        PutAt = response?.LastModified;
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => _length;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    /// <summary>Gets when the object was put, by the clock of the store.</summary>
    public DateTime? PutAt { get; }

    /// <summary>Opens an object.</summary>
    public static async Task<S3Download> OpenAsync(
        S3Connection connection,
        string key,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return new S3Download(connection, key, await GetAsync(connection, key, 0, null, cancellationToken));
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            // An object without bytes.
            return new S3Download(connection, key, null);
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.Length == 0 || _position == _length)
            return 0;
        for (; ; )
        {
            _response ??= await GetAsync(_connection, _key, _position, _tag, cancellationToken);
            using var attempt = _connection.StartAttempt(cancellationToken);
            try
            {
                var read = await _response.ResponseStream.ReadAsync(buffer, attempt.Token);
                if (read == 0)
                    throw new EndOfStreamException("The connection was closed in the middle of an object.");
                _position += read;
                _failures = 0;
                return read;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && S3Connection.IsFailure(e))
            {
                _response.Dispose();
                _response = null;
                await _connection.RecoverAsync(e, ++_failures, cancellationToken);
            }
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _response?.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>
    /// Gets a range, even if it is everything: without one, the SDK takes tags for MD5 sums, and fails before the last
    /// bytes of what does not match.
    /// </summary>
    private static Task<GetObjectResponse> GetAsync(
        S3Connection connection,
        string key,
        long from,
        string? tag,
        CancellationToken cancellationToken
    ) =>
        connection.SendAsync(
            (client, attempt) =>
                client.GetObjectAsync(
                    new GetObjectRequest
                    {
                        BucketName = connection.Bucket,
                        Key = key,
                        ByteRange = new ByteRange($"bytes={from}-"),
                        EtagToMatch = tag,
                    },
                    attempt.Token
                ),
            cancellationToken
        );
}
