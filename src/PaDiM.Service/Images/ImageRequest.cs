using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Http;

namespace PaDiM.Service.Images;

/// <summary>A file of a request: its bytes, or why they are not read.</summary>
/// <param name="Field">Name of the form field; <c>files</c> for a raw body.</param>
/// <param name="FileName">As the client called it: data, never a path.</param>
/// <param name="Bytes">The bytes; empty when there is a fault.</param>
/// <param name="Fault">Why it was not read.</param>
/// <param name="Layout">What raw pixels the bytes are; null for an encoded image.</param>
internal sealed record RequestFile(string Field, string FileName, byte[] Bytes, Problem? Fault, PixelLayout? Layout)
{
    /// <summary>The image that the bytes are.</summary>
    public async ValueTask<Outcome<RgbImage>> ToImageAsync(
        ImageDecoder decoder,
        bool isUrgent,
        Func<Task, Task> aside
    ) =>
        Layout is { } layout
            ? layout.ToImage(Bytes)
            : await decoder.DecodeAsync(Bytes, isUrgent, aside) switch
            {
                DecodeResult.Decoded decoded => decoded.Image,
                DecodeResult.Refused refused => Problems.Image(refused),
                _ => throw new InvalidOperationException(),
            };
}

/// <summary>
/// Reads images out of requests: a raw body, or the parts of a multipart form one after the other, so that memory holds
/// one file at a time. The content type only tells the two apart; what an encoded image is, its bytes decide. Of raw
/// pixels the request says what they are.
/// </summary>
internal sealed class ImageRequest(IOptions<ImageOptions> options, ImageDecoder decoder)
{
    public const string Expected =
        "an image as the body (image/png, image/jpeg, image/bmp, image/tiff, image/webp) or multipart/form-data with parts named 'files'";
    private const int MaxNameLength = 255,
        MaxBoundaryLength = 200;

    /// <summary>
    /// What is read beyond the bytes that a file may have: the frame of a form, or enough to say how long it is.
    /// </summary>
    private const long Slack = 1L << 16;

    /// <summary>The problem with a content type that holds no images, or null.</summary>
    public static Problem? CheckContentType(HttpRequest request) =>
        IsRaw(request) || Boundary(request) is not null
            ? null
            : Problems.UnsupportedMediaType(request.ContentType, Expected);

    /// <summary>The one image of a request: the raw body, or the only file of a form.</summary>
    /// <param name="request">The request.</param>
    /// <param name="layout">What raw pixels its file is; null for an encoded image.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    public async Task<Outcome<RequestFile>> ReadOneAsync(
        HttpRequest request,
        PixelLayout? layout,
        CancellationToken cancellationToken
    )
    {
        if (CheckContentType(request) is { } problem)
            return problem;
        // A body beyond the server's limit ends the connection, often before its sender has seen the answer. What is
        // too large for the one image that a body can be is therefore left unread here, and dropped by the server after
        // the answer, for as long as it has patience (5 s).
        SetLimit(
            request,
            IsRaw(request) ? options.Value.MaxUploadBytes : (layout?.Length ?? options.Value.MaxImageBytes) + Slack
        );
        try
        {
            RequestFile? image = null;
            await foreach (var file in ReadAllAsync(request, layout, cancellationToken))
            {
                if (CheckField(file) is { } wrongField)
                    return wrongField;
                if (image is not null)
                    return Problems.OneFileOnly();
                if (file.Fault is { } fault)
                    return fault;
                image = file;
            }
            if (image is not null)
                return image;
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return layout is null
                ? Problems.ImageBytes(options.Value.MaxImageBytes)
                : Problems.PixelsLength(null, layout);
        }
        return Problems.NoImages();
    }

    /// <summary>Every file of a request whose content type was checked, in order.</summary>
    public async IAsyncEnumerable<RequestFile> ReadAllAsync(
        HttpRequest request,
        PixelLayout? layout,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        if (Boundary(request) is not { } boundary)
        {
            var (bytes, fault) = await ReadAsync(
                request.Body,
                request.ContentLength,
                layout,
                othersFollow: false,
                cancellationToken
            );
            yield return new RequestFile("files", "", bytes, fault, layout);
            yield break;
        }
        var reader = new MultipartReader(boundary, request.Body);
        while (await WholeAsync(reader.ReadNextSectionAsync(cancellationToken)) is { } section)
        {
            if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition))
                continue;
            var name = disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName;
            var (bytes, fault) = await WholeAsync(
                ReadAsync(section.Body, null, layout, othersFollow: true, cancellationToken)
            );
            var fileName = Clean(HeaderUtilities.RemoveQuotes(name).ToString());
            // What browsers send for a file field that was left alone.
            if (
                bytes.Length == 0
                && fileName.Length == 0
                && (fault is null || (layout is not null && fault == Problems.PixelsLength(0, layout)))
            )
                continue;
            if (layout is not null)
                fault = PixelQuery.CheckPart(section.ContentType) ?? fault;
            yield return new RequestFile(
                HeaderUtilities.RemoveQuotes(disposition.Name).ToString(),
                fileName,
                bytes,
                fault,
                layout
            );
        }
    }

    /// <summary>The problem with a form field that holds no file, or null.</summary>
    public static Problem? CheckField(RequestFile file) =>
        file.FileName.Length == 0 && file.Field != "files"
            ? Problems.InvalidRequest(
                $"'{file.Field}' is a text field; the form holds images as files and nothing else."
            )
            : null;

    /// <summary>Lets this request have a larger or smaller body than the server's default.</summary>
    public static void SetLimit(HttpRequest request, long bytes)
    {
        if (
            request.HttpContext.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpMaxRequestBodySizeFeature>() is
            { IsReadOnly: false } feature
        )
            feature.MaxRequestBodySize = bytes;
    }

    private Task<(byte[] Bytes, Problem? Fault)> ReadAsync(
        Stream body,
        long? length,
        PixelLayout? layout,
        bool othersFollow,
        CancellationToken cancellationToken
    ) =>
        layout is null
            ? ReadEncodedAsync(body, length, othersFollow, cancellationToken)
            : ReadPixelsAsync(body, length, layout, othersFollow, cancellationToken);

    /// <summary>
    /// Raw pixels, straight into an array of their length. Nothing is read where the request states another length.
    /// </summary>
    private static async Task<(byte[] Bytes, Problem? Fault)> ReadPixelsAsync(
        Stream body,
        long? length,
        PixelLayout layout,
        bool othersFollow,
        CancellationToken cancellationToken
    )
    {
        if (length is not null && length != layout.Length)
            return ([], Problems.PixelsLength(length, layout));
        // Untouched memory costs nothing until the pixels arrive: a slow sender holds no more than it has sent.
        var bytes = GC.AllocateUninitializedArray<byte>((int)layout.Length);
        long total = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        if (total == bytes.Length)
        {
            var rest = new byte[1 << 12];
            for (
                int read;
                (othersFollow || total <= bytes.Length + Slack)
                    && (read = await body.ReadAsync(rest, cancellationToken)) > 0;

            )
                total += read;
        }
        if (!othersFollow && total > bytes.Length + Slack)
            return ([], Problems.PixelsLength(null, layout));
        return total == bytes.Length ? (bytes, null) : ([], Problems.PixelsLength(total, layout));
    }

    private async Task<(byte[] Bytes, Problem? Fault)> ReadEncodedAsync(
        Stream body,
        long? length,
        bool othersFollow,
        CancellationToken cancellationToken
    )
    {
        var limit = options.Value.MaxImageBytes;
        // Whoever asks before sending (Expect: 100-continue) need not send.
        if (length > limit)
            return ([], Problems.ImageBytes(limit));
        using var buffer = new MemoryStream((int)Math.Clamp(length ?? 0, 0, 1 << 20));
        var chunk = new byte[1 << 16];
        // Of the one image that a body is, the rest need not be seen where its beginning is enough: it is left to the
        // server, which drops it. A beginning that comes in pieces is looked at again whenever it has doubled.
        var tooLarge = false;
        var lookAt = othersFollow ? long.MaxValue : 1;
        for (int read; (read = await body.ReadAsync(chunk, cancellationToken)) > 0; )
        {
            // The rest of a file that is too large is read and dropped where parts behind it still count.
            tooLarge |= buffer.Length + read > limit;
            if (tooLarge && !othersFollow)
                break;
            if (tooLarge)
                continue;
            buffer.Write(chunk, 0, read);
            if (buffer.Length < lookAt)
                continue;
            if (decoder.CheckBeginning(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)) is { } refused)
                return ([], Problems.Image(refused));
            lookAt = buffer.Length < chunk.Length ? 2 * buffer.Length : long.MaxValue;
        }
        return tooLarge ? ([], Problems.ImageBytes(limit)) : (buffer.ToArray(), null);
    }

    /// <summary>A form that breaks off or breaks its own rules is the client's fault.</summary>
    private static async Task<T> WholeAsync<T>(Task<T> reading)
    {
        try
        {
            return await reading;
        }
        catch (Exception e) when (e is InvalidDataException or IOException and not BadHttpRequestException)
        {
            throw new BadHttpRequestException($"The multipart body cannot be read: {e.Message}", e);
        }
    }

    private static bool IsRaw(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && (
            type.Type.Equals("image", StringComparison.OrdinalIgnoreCase)
            || type.MediaType.Equals("application/octet-stream", StringComparison.OrdinalIgnoreCase)
        );

    private static string? Boundary(HttpRequest request)
    {
        if (
            !MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
        )
            return null;
        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary);
        return boundary.Length is > 0 and <= MaxBoundaryLength ? boundary.ToString() : null;
    }

    /// <summary>Without control characters, and cut between two characters where it is too long.</summary>
    private static string Clean(string name)
    {
        var kept = new StringBuilder();
        foreach (
            var rune in name.EnumerateRunes()
                .Where(rune => !Rune.IsControl(rune))
                .TakeWhile(rune => kept.Length + rune.Utf16SequenceLength <= MaxNameLength)
        )
            kept.Append(rune);
        return kept.ToString();
    }
}
