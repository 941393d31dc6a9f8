using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;
using PaDiM.Engine.Files;

namespace PaDiM.Backbones.Acquisition;

/// <summary>
/// Represents the state of a partial download: <c>FILE.part.json</c> beside <c>FILE.part</c>. Without it a partial file
/// cannot be resumed.
/// </summary>
/// <param name="Address">The URL without the query, which may contain a secret.</param>
/// <param name="ETag">The server's strong entity tag of this version.</param>
/// <param name="LastModified">The time of the last change on the server; null if the server sent an entity tag, even a
/// weak one, or if the file changed within the second before it was sent.</param>
/// <param name="Length">The bytes of the whole file; null if the server does not say.</param>
internal sealed record DownloadState(string Address, string? ETag, DateTimeOffset? LastModified, long? Length)
{
    /// <summary>
    /// Gets the condition under which the rest belongs to the same version; null if there is none and the download has
    /// to start over.
    /// </summary>
    public RangeConditionHeaderValue? Condition =>
        EntityTagHeaderValue.TryParse(ETag, out var tag) ? new RangeConditionHeaderValue(tag)
        : LastModified is { } at ? new RangeConditionHeaderValue(at)
        : null;

    /// <summary>Creates the state for the first response.</summary>
    public static DownloadState FromResponse(Uri address, HttpResponseMessage answer) =>
        new(
            WithoutQuery(address),
            GetStrongTag(answer),
            answer.Headers.ETag is null ? GetStrongDate(answer) : null,
            GetLength(answer)
        );

    /// <summary>
    /// Gets whether a response carries the rest of this version. A partial response may leave out everything but the
    /// validator of the condition.
    /// </summary>
    public bool Matches(HttpResponseMessage answer) =>
        (
            ETag is not null
                ? GetStrongTag(answer) == ETag
                : answer.Content.Headers.LastModified is not { } at || at == LastModified
        ) && (Length is null || GetLength(answer) is not { } length || length == Length);

    /// <summary>Reads the state of a partial download from a URL; null if there is none.</summary>
    public static DownloadState? Read(string path, Uri address)
    {
        try
        {
            var state = File.Exists(path)
                ? JsonSerializer.Deserialize(File.ReadAllBytes(path), DownloadJson.Default.DownloadState)
                : null;
            return state?.Address == WithoutQuery(address) ? state : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Writes the state.</summary>
    public void Write(string path) =>
        AtomicFile.Write(
            path,
            stream => JsonSerializer.Serialize(stream, this, DownloadJson.Default.DownloadState),
            durable: false
        );

    private static string? GetStrongTag(HttpResponseMessage answer) =>
        answer.Headers.ETag is { IsWeak: false } tag ? tag.Tag : null;

    /// <summary>
    /// Gets the date of the file if it is at least one second older than the response. A newer file may change again
    /// within the second of its date, which then stands for two versions (RFC 9110, 8.8.2.2).
    /// </summary>
    private static DateTimeOffset? GetStrongDate(HttpResponseMessage answer) =>
        answer.Content.Headers.LastModified is { } at && answer.Headers.Date - at >= TimeSpan.FromSeconds(1)
            ? at
            : null;

    private static long? GetLength(HttpResponseMessage answer) =>
        answer.StatusCode == HttpStatusCode.PartialContent
            ? answer.Content.Headers.ContentRange?.Length
            : answer.Content.Headers.ContentLength;

    /// <summary>Gets a URL without its query, as it is shown and recorded.</summary>
    public static string WithoutQuery(Uri address) => address.GetLeftPart(UriPartial.Path);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DownloadState))]
internal sealed partial class DownloadJson : JsonSerializerContext;
