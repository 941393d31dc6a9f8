using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Xml.Linq;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace PaDiM.Service.TestSupport.S3;

/// <summary>
/// A small S3 server on loopback, with the operations that the service uses, and faults on request. It checks no
/// signatures, but the hash of each body.
/// </summary>
internal sealed class FakeS3 : IAsyncDisposable
{
    public const string Bucket = "padim";
    private const int PageKeys = 100;
    private static readonly XNamespace Names = "http://s3.amazonaws.com/doc/2006-03-01/";

    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, Held> _objects = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Upload> _uploads = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private Held[]? _oldListing;

    private FakeS3(WebApplication app) => _app = app;

    public string Url { get; private set; } = "";

    /// <summary>Gets all requests so far, as METHOD and key.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>Chooses the fault of a request, by METHOD and key.</summary>
    public Func<string, S3Fault?> Faults { get; set; } = _ => null;

    /// <summary>Gets or sets whether conditions are ignored, as some servers do.</summary>
    public bool IgnoresConditions { get; set; }

    public static async Task<FakeS3> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
        });
        var app = builder.Build();
        var server = new FakeS3(app);
        app.Run(server.AnswerAsync);
        await app.StartAsync();
        server.Url = app.Urls.Single();
        return server;
    }

    /// <summary>Gets the settings of a service that uses this server.</summary>
    public (string Option, object Value)[] GetOptions(string prefix = "test") =>
        [
            ("ObjectStore", "s3"),
            ("S3:Endpoint", Url),
            ("S3:Bucket", Bucket),
            ("S3:Prefix", prefix),
            ("S3:AccessKeyId", "key"),
            ("S3:SecretAccessKey", "secret"),
            ("S3:TimeoutSeconds", 2),
        ];

    /// <summary>Gets the keys with a prefix.</summary>
    public string[] GetKeys(string prefix = "") =>
        [.. _objects.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    public byte[] Get(string key) => _objects[key].Bytes;

    /// <summary>Replaces the bytes of an object, as a disk that decays.</summary>
    public void Damage(string key, Func<byte[], byte[]> change) =>
        _objects[key] = _objects[key] with { Bytes = change(_objects[key].Bytes) };

    public void Remove(string key) => _objects.TryRemove(key, out _);

    /// <summary>Makes all objects older.</summary>
    public void Age(TimeSpan by)
    {
        foreach (var (key, held) in _objects)
            _objects[key] = held with { PutAt = held.PutAt - by };
    }

    /// <summary>Lists from now on what is there now.</summary>
    public void StopListing() => _oldListing = [.. _objects.Values];

    public int Count(string start) => Requests.Count(request => request.StartsWith(start, StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        var path = Uri.UnescapeDataString(request.Path.Value!).TrimStart('/');
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        var key = slash < 0 ? "" : path[(slash + 1)..];
        var name = $"{request.Method} {key}";
        Requests.Enqueue(name);
        var fault = Faults(name);
        if (fault?.Wait is { } wait)
            await wait(context.RequestAborted);
        using var received = new MemoryStream();
        await request.Body.CopyToAsync(received);
        var body = received.ToArray();
        if (fault?.Status is { } status)
        {
            await FailAsync(context, status, status == 503 ? "SlowDown" : "Fault");
            return;
        }
        if ((slash < 0 ? path : path[..slash]) != Bucket)
        {
            await FailAsync(context, 404, "NoSuchBucket");
            return;
        }
        var expected = request.Headers["x-amz-content-sha256"].ToString();
        if (expected.Length == 64 && Convert.ToHexStringLower(SHA256.HashData(body)) != expected)
        {
            await FailAsync(context, 400, "XAmzContentSHA256Mismatch");
            return;
        }
        await AnswerAsync(context, key, body, fault);
        if (fault?.IsAnswerLost is true)
            context.Abort();
    }

    private Task AnswerAsync(HttpContext context, string key, byte[] body, S3Fault? fault)
    {
        var request = context.Request;
        var query = request.Query;
        return request.Method switch
        {
            "GET" when key.Length == 0 => ListAsync(context),
            "GET" => GetAsync(context, key, fault),
            "HEAD" => HeadAsync(context, key),
            "PUT" when query.ContainsKey("uploadId") => PutPartAsync(context, body, fault),
            "PUT" when request.Headers.TryGetValue("x-amz-copy-source", out var source) => CopyAsync(
                context,
                key,
                Uri.UnescapeDataString(source.ToString()).TrimStart('/')[(Bucket.Length + 1)..]
            ),
            "PUT" => PutAsync(context, key, body, GetHash(request), fault),
            "POST" when query.ContainsKey("uploads") => BeginUploadAsync(context, key),
            "POST" when query.ContainsKey("uploadId") => CompleteAsync(context, key, fault),
            "DELETE" => DeleteAsync(context, key),
            _ => FailAsync(context, 501, "NotImplemented"),
        };
    }

    private static string? GetHash(HttpRequest request) =>
        request.Headers.TryGetValue("x-amz-meta-sha256", out var sha256) ? sha256.ToString() : null;

    private async Task PutAsync(HttpContext context, string key, byte[] bytes, string? sha256, S3Fault? fault)
    {
        lock (_gate)
        {
            if (IgnoresConditions || context.Request.Headers.IfNoneMatch != "*" || !_objects.ContainsKey(key))
            {
                _objects[key] = new Held(key, bytes, sha256, DateTime.UtcNow);
                if (fault?.IsAnswerLost is not true)
                    context.Response.Headers.ETag = GetTag(bytes);
                return;
            }
        }
        await FailAsync(context, 412, "PreconditionFailed");
    }

    private async Task CopyAsync(HttpContext context, string key, string source)
    {
        if (!_objects.TryGetValue(source, out var held))
        {
            await FailAsync(context, 404, "NoSuchKey");
            return;
        }
        var copied = held with { Key = key, PutAt = DateTime.UtcNow, Sha256 = GetHash(context.Request) };
        _objects[key] = copied;
        await WriteAsync(
            context,
            new XElement(
                Names + "CopyObjectResult",
                new XElement(Names + "LastModified", ToText(copied.PutAt)),
                new XElement(Names + "ETag", GetTag(copied.Bytes))
            )
        );
    }

    private async Task HeadAsync(HttpContext context, string key)
    {
        if (_objects.TryGetValue(key, out var held))
            Describe(context, held, held.Bytes.Length);
        else
            context.Response.StatusCode = 404;
        await Task.CompletedTask;
    }

    private async Task GetAsync(HttpContext context, string key, S3Fault? fault)
    {
        if (!_objects.TryGetValue(key, out var held))
        {
            await FailAsync(context, 404, "NoSuchKey");
            return;
        }
        if (context.Request.Headers.IfMatch is { Count: > 0 } tag && tag != GetTag(held.Bytes))
        {
            await FailAsync(context, 412, "PreconditionFailed");
            return;
        }
        var from = 0;
        if (context.Request.GetTypedHeaders().Range is { } range)
        {
            if (held.Bytes.Length == 0)
            {
                await FailAsync(context, 416, "InvalidRange");
                return;
            }
            from = (int)range.Ranges.Single().From!.Value;
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {from}-{held.Bytes.Length - 1}/{held.Bytes.Length}";
        }
        var bytes = held.Bytes.AsMemory(from);
        Describe(context, held, bytes.Length);
        if (fault?.CutAfter is { } most && most < bytes.Length)
        {
            await context.Response.Body.WriteAsync(bytes[..most]);
            await context.Response.Body.FlushAsync();
            if (fault.Hang)
                await Task.Delay(Timeout.Infinite, context.RequestAborted)
                    .ContinueWith(_ => { }, default(CancellationToken));
            context.Abort();
            return;
        }
        await context.Response.Body.WriteAsync(bytes);
    }

    private Task DeleteAsync(HttpContext context, string key)
    {
        if (context.Request.Query.TryGetValue("uploadId", out var upload))
            _uploads.TryRemove(upload.ToString(), out _);
        else
            _objects.TryRemove(key, out _);
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    private async Task ListAsync(HttpContext context)
    {
        var query = context.Request.Query;
        var prefix = query["prefix"].ToString();
        var after = query["continuation-token"].ToString();
        var all = (_oldListing ?? [.. _objects.Values])
            .Where(held => held.Key.StartsWith(prefix, StringComparison.Ordinal))
            .Where(held => string.CompareOrdinal(held.Key, after) > 0)
            .OrderBy(held => held.Key, StringComparer.Ordinal)
            .ToArray();
        var page = all.Take(PageKeys).ToArray();
        var isCut = page.Length < all.Length;
        await WriteAsync(
            context,
            new XElement(
                Names + "ListBucketResult",
                new XElement(Names + "IsTruncated", isCut),
                isCut ? new XElement(Names + "NextContinuationToken", page[^1].Key) : null,
                page.Select(held => new XElement(
                    Names + "Contents",
                    new XElement(Names + "Key", held.Key),
                    new XElement(Names + "LastModified", ToText(held.PutAt)),
                    new XElement(Names + "Size", held.Bytes.Length)
                ))
            )
        );
    }

    private Task BeginUploadAsync(HttpContext context, string key)
    {
        var id = Guid.NewGuid().ToString("n");
        _uploads[id] = new Upload(GetHash(context.Request), []);
        return WriteAsync(
            context,
            new XElement(
                Names + "InitiateMultipartUploadResult",
                new XElement(Names + "Bucket", Bucket),
                new XElement(Names + "Key", key),
                new XElement(Names + "UploadId", id)
            )
        );
    }

    private Task PutPartAsync(HttpContext context, byte[] body, S3Fault? fault)
    {
        if (!_uploads.TryGetValue(context.Request.Query["uploadId"].ToString(), out var upload))
            return FailAsync(context, 404, "NoSuchUpload");
        upload.Parts[int.Parse(context.Request.Query["partNumber"].ToString(), CultureInfo.InvariantCulture)] = body;
        if (fault?.IsAnswerLost is not true)
            context.Response.Headers.ETag = GetTag(body);
        return Task.CompletedTask;
    }

    private Task CompleteAsync(HttpContext context, string key, S3Fault? fault)
    {
        if (!_uploads.TryRemove(context.Request.Query["uploadId"].ToString(), out var upload))
            return FailAsync(context, 404, "NoSuchUpload");
        byte[] bytes = [.. upload.Parts.OrderBy(part => part.Key).SelectMany(part => part.Value)];
        _objects[key] = new Held(key, bytes, upload.Sha256, DateTime.UtcNow);
        return fault?.IsAnswerLost is true
            ? Task.CompletedTask
            : WriteAsync(
                context,
                new XElement(
                    Names + "CompleteMultipartUploadResult",
                    new XElement(Names + "Key", key),
                    new XElement(Names + "ETag", GetTag(bytes))
                )
            );
    }

    private static void Describe(HttpContext context, Held held, int length)
    {
        context.Response.ContentLength = length;
        context.Response.Headers.ETag = GetTag(held.Bytes);
        context.Response.Headers.LastModified = held.PutAt.ToString("R", CultureInfo.InvariantCulture);
        if (held.Sha256 is { } sha256)
            context.Response.Headers["x-amz-meta-sha256"] = sha256;
    }

    private static string GetTag(byte[] bytes) => $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes))[..32]}\"";

    private static string ToText(DateTime at) => at.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    private static Task FailAsync(HttpContext context, int status, string code)
    {
        context.Response.StatusCode = status;
        return HttpMethods.IsHead(context.Request.Method)
            ? Task.CompletedTask
            : WriteAsync(context, new XElement("Error", new XElement("Code", code), new XElement("Message", code)));
    }

    private static Task WriteAsync(HttpContext context, XElement content)
    {
        context.Response.ContentType = "application/xml";
        return context.Response.WriteAsync(content.ToString());
    }

    private sealed record Held(string Key, byte[] Bytes, string? Sha256, DateTime PutAt);

    private sealed record Upload(string? Sha256, ConcurrentDictionary<int, byte[]> Parts);
}

/// <summary>What goes wrong with a request.</summary>
internal sealed record S3Fault
{
    /// <summary>What happens before anything else.</summary>
    public Func<CancellationToken, Task>? Wait { get; init; }

    /// <summary>Status instead of the answer.</summary>
    public int? Status { get; init; }

    /// <summary>Bytes after which the body of an answer ends.</summary>
    public int? CutAfter { get; init; }

    /// <summary>Whether a body that ends does so without an end.</summary>
    public bool Hang { get; init; }

    /// <summary>Whether the connection is closed when everything is done.</summary>
    public bool IsAnswerLost { get; init; }
}
