using System.Text;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Admission;
using PaDiM.Service.Http;

namespace PaDiM.Service.Images;

/// <summary>
/// Reads images from requests: a raw body, or the parts of a multipart form one after the other, so that memory holds
/// one file at a time. The content type only distinguishes the two; the bytes decide the format of an encoded image,
/// and the query describes raw pixels.
/// </summary>
internal sealed class ImageRequest(IOptions<ImageOptions> options, ImageDecoder decoder, BodyMemory memory)
{
    private static readonly string Expected =
        $"an image as the body ({string.Join(", ", ImageMediaTypes.Files)}) or {FormReader.MediaType} with files in the "
        + $"field {FormFields.FileNames}";

    private const string ExpectedForm =
        $"multipart/form-data with files in the field {FormFields.FileNames}; raw pixels as application/octet-stream";

    private const int MaxNameLength = 255;

    /// <summary>
    /// Bytes that are read beyond the limit of a file: the framing of a form, or enough to report the excess length.
    /// </summary>
    private const long Slack = 1L << 16;

    /// <summary>Says what an operation reads.</summary>
    /// <param name="contentTypes">The content types that it reads.</param>
    public static string Describe(IReadOnlyList<string> contentTypes) =>
        contentTypes switch
        {
            [] => "what /swagger lists for this operation",
            [FormReader.MediaType] => ExpectedForm,
            _ when contentTypes.Contains(ImageMediaTypes.Files[0]) => Expected,
            _ => string.Join(" or ", contentTypes),
        };

    /// <summary>Gets the problem with a content type that cannot hold images, or null.</summary>
    public static Problem? CheckContentType(HttpRequest request) =>
        IsRawBody(request) || FormReader.FindBoundary(request) is not null
            ? null
            : FormReader.CreateTypeProblem(request, Expected);

    /// <summary>Reads the one image of a request: the raw body, or the only file of a form.</summary>
    /// <param name="request">The request.</param>
    /// <param name="layout">The layout of raw pixels; null for an encoded image.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <param name="takesMask">Whether the image is a mask, and its field may be named so.</param>
    public async Task<Outcome<RequestFile>> ReadOneAsync(
        HttpRequest request,
        PixelLayout? layout,
        CancellationToken cancellationToken,
        bool takesMask = false
    )
    {
        if (CheckContentType(request) is { } problem)
            return problem;
        // A body beyond the server's limit ends the connection, often before the sender has seen the answer. A body
        // that is too large for one image is therefore left unread here. The server drains it after the answer, for up
        // to 5 s.
        SetLimit(
            request,
            IsRawBody(request) ? options.Value.MaxUploadBytes : (layout?.Length ?? options.Value.MaxImageBytes) + Slack
        );
        var held = memory.Start();
        request.HttpContext.Response.RegisterForDispose(held);
        try
        {
            RequestFile? image = null;
            await foreach (var file in ReadAllAsync(request, layout, held, cancellationToken))
            {
                if (!FormFields.IsFile(file.Field) && !(takesMask && FormFields.IsMask(file.Field)))
                    return FormFields.CreateProblem(file.Field);
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
        return CreateNoImagesProblem(request);
    }

    /// <summary>Creates the problem of a request without a file.</summary>
    public static Problem CreateNoImagesProblem(HttpRequest request) =>
        FormFields.GetIgnored(request.HttpContext) is { Count: > 0 } texts
            ? Problems.InvalidRequest(
                $"The form has no file, only text ({string.Join(", ", texts)}); send images as files in the field "
                    + $"{FormFields.FileNames}."
            )
            : Problems.NoImages();

    /// <summary>
    /// Reads every file of a request, in order. The content type must have been checked. Few files of a request are in
    /// memory at a time, so that their bytes are not counted.
    /// </summary>
    public IAsyncEnumerable<RequestFile> ReadAllAsync(
        HttpRequest request,
        PixelLayout? layout,
        CancellationToken cancellationToken
    ) => ReadAllAsync(request, layout, held: null, cancellationToken);

    private async IAsyncEnumerable<RequestFile> ReadAllAsync(
        HttpRequest request,
        PixelLayout? layout,
        BodyMemory.Lease? held,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        if (FormReader.FindBoundary(request) is not { } boundary)
        {
            var (bytes, fault) = await ReadAsync(
                request.Body,
                request.ContentLength,
                layout,
                othersFollow: false,
                isCompressed: false,
                held,
                cancellationToken
            );
            yield return new RequestFile("files", "", bytes, fault, layout);
            yield break;
        }
        var isCompressed = CompressedBodies.IsCompressed(request);
        await foreach (var part in FormReader.ReadFilesAsync(request, boundary, cancellationToken))
        {
            var (bytes, fault) = await FormReader.ReportAsync(
                ReadAsync(part.Body, null, layout, othersFollow: true, isCompressed, held, cancellationToken)
            );
            var fileName = CleanName(part.FileName);
            // Browsers send this for an empty file field.
            if (
                bytes.Length == 0
                && fileName.Length == 0
                && (fault is null || (layout is not null && fault == Problems.PixelsLength(0, layout)))
            )
                continue;
            if (layout is not null)
                fault = PixelQuery.CheckPart(part.ContentType) ?? fault;
            yield return new RequestFile(part.Field, fileName, bytes, fault, layout);
        }
    }

    /// <summary>Sets the largest body of this request, in place of the server's default.</summary>
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
        bool isCompressed,
        BodyMemory.Lease? held,
        CancellationToken cancellationToken
    ) =>
        layout is null
            ? ReadEncodedAsync(body, length, othersFollow, isCompressed, held, cancellationToken)
            : ReadPixelsAsync(body, length, layout, othersFollow, isCompressed, held, cancellationToken);

    /// <summary>
    /// What follows a file that is too large is unpacked at the service's cost and not sent at the client's, so that
    /// the whole form is refused.
    /// </summary>
    private static BadHttpRequestException CreateBombException() =>
        new("A file of the unpacked form is too large.", StatusCodes.Status413PayloadTooLarge);

    /// <summary>
    /// Reads raw pixels straight into an array of their length. Nothing is read if the request declares another length.
    /// </summary>
    private static async Task<(byte[] Bytes, Problem? Fault)> ReadPixelsAsync(
        Stream body,
        long? length,
        PixelLayout layout,
        bool othersFollow,
        bool isCompressed,
        BodyMemory.Lease? held,
        CancellationToken cancellationToken
    )
    {
        if (length is not null && length != layout.Length)
            return ([], Problems.PixelsLength(length, layout));
        if (held?.TryGrow(layout.Length) == false)
            return ([], Problems.QueueFull("images are being received"));
        // Untouched memory costs nothing until the pixels arrive: a slow sender occupies no more than it has sent.
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
            {
                total += read;
                if (isCompressed && total > bytes.Length + Slack)
                    throw CreateBombException();
            }
        }
        if (!othersFollow && total > bytes.Length + Slack)
            return ([], Problems.PixelsLength(null, layout));
        return total == bytes.Length ? (bytes, null) : ([], Problems.PixelsLength(total, layout));
    }

    private async Task<(byte[] Bytes, Problem? Fault)> ReadEncodedAsync(
        Stream body,
        long? length,
        bool othersFollow,
        bool isCompressed,
        BodyMemory.Lease? held,
        CancellationToken cancellationToken
    )
    {
        var limit = options.Value.MaxImageBytes;
        // A client that asks before it sends (Expect: 100-continue) need not send.
        if (length > limit)
            return ([], Problems.ImageBytes(limit));
        var buffer = new FileBuffer((int?)length);
        // If the body is the image, and its beginning is enough to refuse it, the rest is left to the server, which
        // drains it. A beginning that arrives in pieces is checked again whenever it has doubled.
        var tooLarge = false;
        var nextCheck = othersFollow ? long.MaxValue : 1;
        for (int read; (read = await body.ReadAsync(buffer.GetFree(), cancellationToken)) > 0; )
        {
            // The rest of a file that is too large is read and dropped if other parts follow it.
            tooLarge |= buffer.Length + read > limit;
            if (tooLarge && !othersFollow)
                break;
            if (tooLarge && isCompressed)
                throw CreateBombException();
            if (tooLarge)
                continue;
            // A client occupies what it has sent, not what it has announced.
            if (held?.TryGrow(buffer.Length + read) == false)
                return ([], Problems.QueueFull("images are being received"));
            buffer.Advance(read);
            if (buffer.Length < nextCheck)
                continue;
            if (decoder.CheckBeginning(buffer.Beginning) is { } refused)
                return ([], Problems.Image(refused));
            nextCheck = buffer.Length < FileBuffer.BeginningLength ? 2 * buffer.Length : long.MaxValue;
        }
        return tooLarge ? ([], Problems.ImageBytes(limit)) : (buffer.ToArray(), null);
    }

    private static bool IsRawBody(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && (
            type.Type.Equals("image", StringComparison.OrdinalIgnoreCase)
            || type.MediaType.Equals("application/octet-stream", StringComparison.OrdinalIgnoreCase)
        );

    /// <summary>Removes control characters, and cuts a name that is too long between two characters.</summary>
    public static string CleanName(string name)
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
