using Microsoft.Net.Http.Headers;
using PaDiM.Core.Persistence;
using PaDiM.Imaging.Heatmaps;

namespace PaDiM.Service.Scoring;

/// <summary>The media types of a scored image, and the choice among them.</summary>
internal static class ScoreAnswers
{
    public const string Json = "application/json",
        Png = "image/png",
        Jpeg = "image/jpeg",
        Webp = "image/webp";

    /// <summary>In order of preference.</summary>
    private static readonly string[] All = [Json, Png, Jpeg, Webp, NumpyFile.MediaType];

    /// <summary>Without the lossy ones, whose masks would not be binary.</summary>
    private static readonly string[] OfMasks = [Json, Png, NumpyFile.MediaType];

    /// <summary>Gets the types that a request can be answered with.</summary>
    public static IReadOnlyList<string> GetAvailable(HeatmapStyle? heatmap) =>
        heatmap == HeatmapStyle.Mask ? OfMasks : All;

    /// <summary>
    /// Chooses the type that the client likes best (RFC 9110, 12.5.1): the most specific range decides about a type,
    /// and among equals the one that the client names first. Null if it accepts none.
    /// </summary>
    public static string? Choose(HttpRequest request, IReadOnlyList<string> available)
    {
        var accepted = request.GetTypedHeaders().Accept;
        if (accepted is not { Count: > 0 })
            return available[0];
        string? best = null;
        (double Quality, int Place) rank = (0, 0);
        foreach (var type in available)
        {
            var media = new MediaTypeHeaderValue(type);
            var range = accepted.Where(range => IsWithin(media, range)).MaxBy(GetPrecision);
            var quality = range is null ? 0 : range.Quality ?? 1;
            // Places count down, so that the earlier of two equals is the larger.
            var found = (quality, range is null ? 0 : -accepted.IndexOf(range));
            if (quality > 0 && (best is null || found.CompareTo(rank) > 0))
                (best, rank) = (type, found);
        }
        return best;
    }

    /// <summary>Gets the file format of a picture; PNG for all other answers, which may hold one.</summary>
    public static PictureFormat GetFormat(string mediaType) =>
        mediaType switch
        {
            Jpeg => PictureFormat.Jpeg,
            Webp => PictureFormat.Webp,
            _ => PictureFormat.Png,
        };

    /// <summary>Gets whether an answer is a picture.</summary>
    public static bool IsPicture(string mediaType) => mediaType is Png or Jpeg or Webp;

    /// <summary>
    /// Gets whether a range includes a type. Parameters do not count: no type here has any but the character set of
    /// JSON, which is always UTF-8.
    /// </summary>
    private static bool IsWithin(MediaTypeHeaderValue type, MediaTypeHeaderValue range) =>
        type.IsSubsetOf(new MediaTypeHeaderValue(range.MediaType));

    private static int GetPrecision(MediaTypeHeaderValue range) =>
        range.MatchesAllTypes ? 0
        : range.MatchesAllSubTypes ? 1
        : 2 + range.Parameters.Count;
}
