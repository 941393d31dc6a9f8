using Microsoft.Net.Http.Headers;
using PaDiM.Core.Models;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Http;

namespace PaDiM.Service.Images;

/// <summary>
/// The query <c>width=640&amp;height=480&amp;format=rgb24</c>, which declares every file of its request as raw pixels.
/// All three parameters are given, or none for encoded images; <c>significantBits=12</c> goes with encoded images and
/// with <c>gray16</c>.
/// </summary>
internal static class PixelQuery
{
    /// <summary>The content type of raw pixels; parts of a form may omit it.</summary>
    private const string MediaType = "application/octet-stream";

    /// <summary>Gets the layout of a request's files; null if they are encoded.</summary>
    public static Outcome<PixelLayout?> Parse(
        HttpRequest request,
        int? width,
        int? height,
        PixelFormat? format,
        int? significantBits,
        ImageDecoder decoder
    ) => Parse(request.ContentType, width, height, format, significantBits, decoder);

    /// <summary>Gets the layout of files whose content type is said; null if they are encoded.</summary>
    public static Outcome<PixelLayout?> Parse(
        string? contentType,
        int? width,
        int? height,
        PixelFormat? format,
        int? significantBits,
        ImageDecoder decoder
    )
    {
        if (significantBits is < FitSettings.MinSignificantBits or > FitSettings.MaxSignificantBits)
            return Problems.InvalidRequest(
                $"significantBits must lie between {FitSettings.MinSignificantBits} and "
                    + $"{FitSettings.MaxSignificantBits}."
            );
        if ((width, height, format) is (null, null, null))
            return (PixelLayout?)null;
        if ((width, height, format) is not ({ } columns, { } rows, { } samples))
            return Problems.InvalidRequest(
                "width, height and format go together: pass all three (width=640&height=480&format=rgb24) for raw "
                    + "pixels, or none for an encoded image."
            );
        if (columns < 1 || rows < 1)
            return Problems.InvalidRequest("width and height must be at least 1.");
        if (decoder.CheckSize(columns, rows) is { } tooLarge)
            return Problems.Image(tooLarge);
        if (contentType?.StartsWith("image/", StringComparison.OrdinalIgnoreCase) is true)
            return CreateTypeProblem(contentType);
        var layout = new PixelLayout(columns, rows, samples);
        if (layout.IsMosaic && (columns < 2 || rows < 2))
            return Problems.InvalidRequest("A mosaic of colour filters has at least 2 x 2 pixels.");
        if (significantBits is not null && layout.SignificantBits is { } named)
            return Problems.InvalidRequest(
                $"{Choices.GetName(samples)} has {named} bits by its name: leave significantBits out, or use gray16."
            );
        return layout;
    }

    /// <summary>Gets the problem with a form part whose content type says that it is encoded, or null.</summary>
    public static Problem? CheckPart(string? contentType) =>
        contentType is null
        || (
            MediaTypeHeaderValue.TryParse(contentType, out var type)
            && type.MediaType.Equals(MediaType, StringComparison.OrdinalIgnoreCase)
        )
            ? null
            : CreateTypeProblem(contentType);

    private static Problem CreateTypeProblem(string contentType) =>
        Problems.UnsupportedMediaType(
            contentType,
            $"raw pixels as {MediaType}, or an encoded image without width, height and format"
        );
}
