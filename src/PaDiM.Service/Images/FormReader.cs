using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using PaDiM.Service.Http;

namespace PaDiM.Service.Images;

/// <summary>
/// Reads the files of a form one after the other, by the framework's reader, and says what is wrong with a form.
/// </summary>
internal static class FormReader
{
    public const string MediaType = "multipart/form-data";

    /// <summary>The framework's default, 4 KB, would search the boundary of a large file thousands of times.</summary>
    private const int BufferBytes = 1 << 16;

    private const int MaxBoundaryLength = 200,
        MaxTextBytes = 4096;

    /// <summary>Gets whether the content type is that of a form.</summary>
    public static bool IsForm(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && type.MediaType.Equals(MediaType, StringComparison.OrdinalIgnoreCase);

    /// <summary>Gets the boundary between the parts of a form; null without a usable one.</summary>
    public static string? FindBoundary(HttpRequest request)
    {
        if (!IsForm(request))
            return null;
        var boundary = HeaderUtilities.RemoveQuotes(MediaTypeHeaderValue.Parse(request.ContentType).Boundary);
        return boundary.Length is > 0 and <= MaxBoundaryLength ? boundary.ToString() : null;
    }

    /// <summary>Creates the problem of a content type that is no form, or a form without a boundary.</summary>
    /// <param name="request">The request.</param>
    /// <param name="expected">What the operation reads.</param>
    public static Problem CreateTypeProblem(HttpRequest request, string expected) =>
        Problems.UnsupportedMediaType(
            request.ContentType,
            IsForm(request)
                ? $"{MediaType} with the boundary between its parts; HTTP clients add it if they set this header "
                    + "themselves"
                : expected
        );

    /// <summary>Gets the files of a form, and takes its text fields (<see cref="FormFields.Add"/>).</summary>
    /// <param name="request">The request.</param>
    /// <param name="boundary">The boundary.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="BadHttpRequestException">The form cannot be read.</exception>
    public static async IAsyncEnumerable<FormFile> ReadFilesAsync(
        HttpRequest request,
        string boundary,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var reader = new MultipartReader(boundary, request.Body, BufferBytes);
        for (
            var isFirst = true;
            await ReportAsync(reader.ReadNextSectionAsync(cancellationToken), isFirst) is { } section;
            isFirst = false
        )
        {
            if (
                !ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition)
                || HeaderUtilities.RemoveQuotes(disposition.Name).ToString() is not { Length: > 0 } field
            )
                throw new BadHttpRequestException(
                    "A part of the form has no field name: it needs the header Content-Disposition: form-data; "
                        + "name=\"files\"; filename=\"part.png\"."
                );
            var name = disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName;
            if (name.HasValue || FormFields.IsFile(field) || FormFields.IsMask(field))
                yield return new FormFile(
                    field,
                    HeaderUtilities.RemoveQuotes(name).ToString(),
                    section.ContentType,
                    section.Body
                );
            else
                FormFields.Add(request.HttpContext, field, await ReadTextAsync(section.Body, field, cancellationToken));
        }
    }

    /// <summary>Reports a form that is cut short or malformed as a bad request.</summary>
    /// <param name="reading">What reads the form or one of its files.</param>
    /// <param name="isFirst">Whether no part has been read yet.</param>
    public static async Task<T> ReportAsync<T>(Task<T> reading, bool isFirst = false)
    {
        try
        {
            return await reading;
        }
        catch (IOException e) when (e is not BadHttpRequestException)
        {
            throw new BadHttpRequestException(
                "The form ends before its last boundary: the body was cut short, or Content-Type names another "
                    + "boundary than the body has. Send the whole form again; images that are already stored are not "
                    + "stored twice.",
                e
            );
        }
        catch (InvalidDataException e)
        {
            throw new BadHttpRequestException(
                isFirst
                    ? "The form does not begin with a part: the boundary that Content-Type names is missing, or the "
                        + "headers of the first part cannot be read."
                    : "The headers of a part of the form cannot be read: each is 'Name: value', and a part has at most "
                        + "16 of them in 16 KiB.",
                e
            );
        }
    }

    private static async Task<string> ReadTextAsync(Stream body, string field, CancellationToken cancellationToken)
    {
        var bytes = new byte[MaxTextBytes + 1];
        var length = await ReportAsync(
            body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken).AsTask()
        );
        return length > MaxTextBytes
            ? throw new BadHttpRequestException(
                $"The text field '{RequestIdentity.Clean(field)}' of the form is longer than {MaxTextBytes} bytes; a "
                    + "file needs a file name (filename=\"part.png\")."
            )
            : Encoding.UTF8.GetString(bytes, 0, length);
    }
}

/// <summary>Represents a file of a form whose bytes have not been read.</summary>
/// <param name="Field">Name of the field.</param>
/// <param name="FileName">The client's name for the file, as sent; empty if there is none.</param>
/// <param name="ContentType">The content type of the part, if it has one.</param>
/// <param name="Body">The bytes, to be read before the next file.</param>
internal sealed record FormFile(string Field, string FileName, string? ContentType, Stream Body);
