using System.IO.Compression;
using System.Net.Mime;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;
using PaDiM.Service.Http;

namespace PaDiM.Service.Site;

/// <summary>
/// A file of the console in memory. It is compressed once, when a browser first asks for it: brotli at quality 9 takes
/// some milliseconds for the whole console, and quality 11 saves little more.
/// </summary>
internal sealed class SiteFile
{
    private const int Quality = 9;
    private readonly Lazy<byte[]> _brotli,
        _gzip;
    private readonly byte[] _content;
    private readonly string _tag;

    public SiteFile(string name, byte[] content)
    {
        _content = content;
        MediaType = GetMediaType(name);
        _tag = Convert.ToHexStringLower(SHA256.HashData(content))[..32];
        _brotli = new(() =>
            Compress(to => new BrotliStream(to, new BrotliCompressionOptions { Quality = Quality }, leaveOpen: true))
        );
        _gzip = new(() => Compress(to => new GZipStream(to, CompressionLevel.SmallestSize, leaveOpen: true)));
    }

    public string MediaType { get; }

    /// <summary>Answers with the file, in the smallest form that the client reads.</summary>
    public async Task WriteAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var (encoding, content) = Choose(request);
        // Each form is another sequence of bytes, and has a validator of its own.
        var tag = StoredFile.CreateTag(encoding is null ? _tag : $"{_tag}-{encoding}");
        response.Headers.Vary = HeaderNames.AcceptEncoding;
        response.GetTypedHeaders().ETag = tag;
        if (StoredFile.IsKnown(request, tag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        response.ContentType = MediaType;
        response.ContentLength = content.Length;
        if (encoding is not null)
            response.Headers.ContentEncoding = encoding;
        if (!HttpMethods.IsHead(request.Method))
            await response.Body.WriteAsync(content, context.RequestAborted);
    }

    private (string? Encoding, byte[] Content) Choose(HttpRequest request)
    {
        var accepted = request.GetTypedHeaders().AcceptEncoding;
        return Accepts("br") ? ("br", _brotli.Value)
            : Accepts("gzip") ? ("gzip", _gzip.Value)
            : (null, _content);

        bool Accepts(string encoding) =>
            accepted.Any(one =>
                one.Value.Equals(encoding, StringComparison.OrdinalIgnoreCase) && one.Quality is null or > 0
            );
    }

    private byte[] Compress(Func<Stream, Stream> open)
    {
        using var packed = new MemoryStream();
        using (var stream = open(packed))
            stream.Write(_content);
        return packed.ToArray();
    }

    private static string GetMediaType(string name) =>
        Path.GetExtension(name) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".svg" => MediaTypeNames.Image.Svg,
            _ => MediaTypeNames.Application.Octet,
        };
}
