using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;
using PaDiM.Engine.Files;

namespace PaDiM.Backbones.Acquisition;

/// <summary>
/// What is known of a file that has come in part; <c>FILE.part.json</c> beside <c>FILE.part</c>. Without it a part is
/// of no use.
/// </summary>
/// <param name="Address">Where it comes from, without the query, which may hold a secret.</param>
/// <param name="ETag">The server's strong name for this version of the file.</param>
/// <param name="LastModified">When the server's file last changed; null where the server has a name for the version,
/// even a weak one, or where the file changed within the second before it was sent.</param>
/// <param name="Length">Bytes of the whole file; null where the server does not say.</param>
internal sealed record DownloadState(string Address, string? ETag, DateTimeOffset? LastModified, long? Length)
{
    /// <summary>
    /// Under what condition the rest is the rest of the same file; null where nothing tells, and the download begins
    /// anew.
    /// </summary>
    public RangeConditionHeaderValue? Condition =>
        EntityTagHeaderValue.TryParse(ETag, out var tag) ? new RangeConditionHeaderValue(tag)
        : LastModified is { } at ? new RangeConditionHeaderValue(at)
        : null;

    /// <summary>The state that an answer begins with.</summary>
    public static DownloadState FromResponse(Uri address, HttpResponseMessage answer) =>
        new(
            WithoutQuery(address),
            GetStrongTag(answer),
            answer.Headers.ETag is null ? GetStrongDate(answer) : null,
            GetLength(answer)
        );

    /// <summary>
    /// Whether an answer carries the rest of this file. It may leave out all but the name that the condition was of.
    /// </summary>
    public bool Matches(HttpResponseMessage answer) =>
        (
            ETag is not null
                ? GetStrongTag(answer) == ETag
                : answer.Content.Headers.LastModified is not { } at || at == LastModified
        ) && (Length is null || GetLength(answer) is not { } length || length == Length);

    /// <summary>The state beside a part that came from an address; null where there is none.</summary>
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

    /// <summary>Writes it.</summary>
    public void Write(string path) =>
        AtomicFile.Write(
            path,
            stream => JsonSerializer.Serialize(stream, this, DownloadJson.Default.DownloadState),
            durable: false
        );

    private static string? GetStrongTag(HttpResponseMessage answer) =>
        answer.Headers.ETag is { IsWeak: false } tag ? tag.Tag : null;

    /// <summary>
    /// The date of the file, where it is one second older than the answer at least: a younger file may change within
    /// the second of its date, which then names two versions (RFC 9110, 8.8.2.2).
    /// </summary>
    private static DateTimeOffset? GetStrongDate(HttpResponseMessage answer) =>
        answer.Content.Headers.LastModified is { } at && answer.Headers.Date - at >= TimeSpan.FromSeconds(1)
            ? at
            : null;

    private static long? GetLength(HttpResponseMessage answer) =>
        answer.StatusCode == HttpStatusCode.PartialContent
            ? answer.Content.Headers.ContentRange?.Length
            : answer.Content.Headers.ContentLength;

    /// <summary>An address as it may be shown and kept.</summary>
    public static string WithoutQuery(Uri address) => address.GetLeftPart(UriPartial.Path);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DownloadState))]
internal sealed partial class DownloadJson : JsonSerializerContext;
