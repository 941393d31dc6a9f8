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

    /// <summary>Creates a part of a form. A name with quotes or other letters than ASCII's goes as UTF-8.</summary>
    public static SourceContent CreatePart(ImageSource source, string field, string fileName)
    {
        var part = new SourceContent(source);
        var isPlain = fileName.All(letter => letter is >= ' ' and <= '~' and not ('"' or '\\'));
        part.Headers.ContentDisposition = new ContentDispositionHeaderValue("form-data")
        {
            Name = field,
            FileName = isPlain ? $"\"{fileName}\"" : null,
            FileNameStar = isPlain ? null : fileName,
        };
        return part;
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
