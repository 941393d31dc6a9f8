using Microsoft.Net.Http.Headers;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Http;

namespace PaDiM.Service.Images;

/// <summary>
/// The query <c>width=640&amp;height=480&amp;format=rgb24</c>: every file of its request is raw pixels. All three, or
/// none and the files are encoded images.
/// </summary>
internal static class PixelQuery
{
    /// <summary>The content type of raw pixels; parts of a form may also leave it out.</summary>
    private const string MediaType = "application/octet-stream";

    /// <summary>The layout of a request's files; null where they are encoded.</summary>
    public static Outcome<PixelLayout?> Parse(
        HttpRequest request,
        int? width,
        int? height,
        PixelFormat? format,
        ImageDecoder decoder
    )
    {
        if ((width, height, format) is (null, null, null))
            return (PixelLayout?)null;
        if ((width, height, format) is not ({ } across, { } down, { } samples))
            return Problems.InvalidRequest(
                "width, height and format go together: all three (width=640&height=480&format=rgb24) for raw pixels, none of them for an encoded image."
            );
        if (across < 1 || down < 1)
            return Problems.InvalidRequest(
                $"Raw pixels of {across} x {down} cannot be; width and height are at least 1."
            );
        if (decoder.CheckSize(across, down) is { } tooLarge)
            return Problems.Image(tooLarge);
        if (request.ContentType?.StartsWith("image/", StringComparison.OrdinalIgnoreCase) is true)
            return Encoded(request.ContentType);
        return new PixelLayout(across, down, samples);
    }

    /// <summary>The problem with a part of a form that says it is encoded, or null.</summary>
    public static Problem? CheckPart(string? contentType) =>
        contentType is null
        || (
            MediaTypeHeaderValue.TryParse(contentType, out var type)
            && type.MediaType.Equals(MediaType, StringComparison.OrdinalIgnoreCase)
        )
            ? null
            : Encoded(contentType);

    private static Problem Encoded(string contentType) =>
        Problems.UnsupportedMediaType(
            contentType,
            $"raw pixels as {MediaType}, or leave out width, height and format for an encoded image"
        );
}
