using System.Net;
using System.Net.Http.Headers;

namespace PaDiM.Client;

/// <summary>The body of a request, or a part of a form, that holds one image. Every try reads it again.</summary>
internal sealed class SourceContent : HttpContent
{
    private readonly ImageSource _source;

    public SourceContent(ImageSource source)
    {
        _source = source;
        // The service looks at the first bytes, so the name of the format says nothing to it.
        Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        _source.CopyToAsync(stream, CancellationToken.None);

    protected override Task SerializeToStreamAsync(
        Stream stream,
        TransportContext? context,
        CancellationToken cancellationToken
    ) => _source.CopyToAsync(stream, cancellationToken);

    protected override bool TryComputeLength(out long length)
    {
        length = _source.Length ?? 0;
        return _source.Length is not null;
    }
}
